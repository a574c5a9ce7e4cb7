import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The build is checked in and embedded, so two builds of the same source must be the same bytes: names come from
// content, and nothing of the machine or the time goes in.
export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): nothing has to be rewritten for older ones.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: 'dist',
    // Everything that is inlined would need data: in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/login', '/logout'].map((path) => [
        path,
        {
          target: process.env.BRIDGEHEAD_URL ?? 'http://localhost:8080',
          // The login page itself is ours; only the form that is sent goes to the server.
          bypass: (req: { method?: string; url?: string }) =>
            path !== '/api' && req.method === 'GET' ? req.url : undefined,
        },
      ]),
    ),
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
