import { defineConfig } from "vitest/config";
import { guideModules } from "./tests/guide/modules.ts";

const alias = { "@": new URL("./src", import.meta.url).pathname };

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          testTimeout: 20_000,
          environment: "jsdom",
          include: ["src/**/*.test.{ts,tsx}"],
          setupFiles: ["tests/setup.ts"],
        },
      },
      {
        resolve: { alias },
        test: {
          name: "journeys",
          environment: "node",
          include: ["tests/journeys/*.test.ts"],
          globalSetup: ["tests/journeys/world.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        plugins: [guideModules()],
        resolve: { alias },
        test: {
          name: "guide",
          environment: "jsdom",
          include: ["tests/guide/*.test.{ts,tsx}"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
