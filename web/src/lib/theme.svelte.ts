// Light, dark, or what the operating system says. Styles follow color-scheme alone; what is drawn on a canvas asks here.

export type Theme = 'system' | 'light' | 'dark';
const themes: readonly Theme[] = ['system', 'light', 'dark'];

const key = 'theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

function stored(): Theme {
  const value = localStorage.getItem(key) as Theme;
  return themes.includes(value) ? value : 'system';
}

class ThemeChoice {
  choice = $state<Theme>(stored());
  #system = $state(dark.matches);
  /** isDark changes whenever the colours do: whoever draws reads it to draw again. */
  isDark = $derived(this.choice === 'dark' || (this.choice === 'system' && this.#system));

  constructor() {
    dark.addEventListener('change', () => (this.#system = dark.matches));
    this.#apply();
  }

  set(choice: Theme): void {
    this.choice = choice;
    localStorage.setItem(key, choice);
    this.#apply();
  }

  #apply(): void {
    if (this.choice === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.choice;
  }

  /** color returns the present value of a colour token. The tokens that are drawn are registered as colours. */
  color(token: string): string {
    void this.isDark;
    return getComputedStyle(document.documentElement).getPropertyValue(token).trim();
  }
}

export const theme = new ThemeChoice();
