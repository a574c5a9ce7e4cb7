// Which browser a User-Agent is, for people who look for their own.

const browsers: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\/(\d+)/, 'Edge'],
  [/OPR\/(\d+)/, 'Opera'],
  [/(?:Firefox|FxiOS)\/(\d+)/, 'Firefox'],
  [/(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/, 'Chrome'],
  [/Version\/(\d+)[\d.]* .*Safari/, 'Safari'],
];
const systems: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
];

/** browserOf names the browser and the system; what it does not know it shows as it is, shortened. */
export function browserOf(agent: string | undefined): string {
  if (!agent) return 'unknown browser';
  const system = systems.find(([p]) => p.test(agent))?.[1];
  for (const [pattern, name] of browsers) {
    const m = pattern.exec(agent);
    if (m) return `${name} ${m[1]}${system ? ` on ${system}` : ''}`;
  }
  return agent.length > 60 ? agent.slice(0, 59) + '…' : agent;
}
