import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** routes puts the table of pages beside them: the server answers 404 for paths that are not in it. */
function routes(): Plugin {
  return {
    name: 'routes',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'routes.json', source: readFileSync('src/lib/routes.json') });
    },
  };
}

// What is loaded only with the pages about people, and what these take from the frame around all pages, with what loads
// files later: without the second rule it would go into their file, and each visit would load that.
const people = /\/src\/(identity\/|part\/(AdminTabs|Confirm|Dialog)\.)/;
const first = /\/src\/(lib\/(account|admin|live)|part\/(Empty|Title))\.|vite\/preload-helper/;

// While working on the pages (npm run dev) the interfaces of a running server are used.
const server = process.env.BRIDGEHEAD_URL ?? 'http://localhost:8080';

// The build is checked in and embedded, so two builds of the same source must be the same bytes: names come from
// content, and nothing of the machine or the time goes in.
export default defineConfig({
  plugins: [svelte(), routes()],
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): nothing has to be rewritten for older ones.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist',
    // Everything that is inlined would need data: in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Few files: one style sheet, one script a page, one for what pages have in common, and one for what the pages about
    // people have in common, which most visits never need.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'frame', test: first, priority: 3 },
            { name: 'shared', minShareCount: 2, test: (id) => !people.test(id), priority: 2 },
            { name: 'people', test: people, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': server,
      // The login page itself is ours; only the form that is sent goes to the server.
      '^/(login|logout)$': { target: server, bypass: (request) => (request.method === 'GET' ? request.url : undefined) },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
