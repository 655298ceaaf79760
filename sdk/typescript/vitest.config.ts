import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "ai-cost-optimizer": new URL("src/index.ts", import.meta.url).pathname } },
  test: { include: ["tests/**/*.test.ts"], testTimeout: 30_000, hookTimeout: 30_000 },
});
