import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Schemas } from "@/api/client";
import { KeyFigures } from "./key-figures";

type Summary = Schemas["Summary"];

const summary = (more: object): Summary =>
  ({
    totalCost: "90",
    totalTokens: 1_500_000,
    inputTokens: 1_000_000,
    outputTokens: 500_000,
    totalRequests: 1_000,
    averageCostPerRequest: "0.09",
    costPerThousandTokens: "0.06",
    cachedTokens: 400_000,
    cacheSavings: "10",
    errorRate: 0.021,
    ...more,
  }) as unknown as Summary;

const figure = (name: string) => screen.getByText(name).parentElement?.textContent;

test("each figure is set against the period before", () => {
  render(
    <KeyFigures
      current={summary({})}
      previous={summary({ totalRequests: 800, errorRate: 0.03 })}
      latency={{ p50: 800, p95: 2_400, p99: 9_000 }}
      latencyBefore={{ p50: 1_000, p95: 2_400, p99: 9_000 }}
    />,
  );
  expect(figure("Requests")).toBe("Requests1,000+25.0 %");
  expect(figure("Tokens")).toBe("Tokens1.5Mas before");
  expect(figure("Cost per 1,000 tokens")).toBe("Cost per 1,000 tokens$0.06as before");
  expect(figure("Saved by caching")).toBe("Saved by caching$10.0010.0 % less than uncached");
  expect(figure("Errors")).toBe("Errors2.1 %−0.9 points");
  expect(figure("Duration, p50 and p95")).toBe("Duration, p50 and p95800 ms / 2.4 s−20.0 %");
});

test("what is not known is not zero", () => {
  const none = {
    averageCostPerRequest: null,
    costPerThousandTokens: null,
    errorRate: null,
    cacheSavings: "0",
  };
  render(<KeyFigures current={summary(none)} previous={summary({ ...none, totalRequests: 0 })} />);
  expect(figure("Requests")).toBe("Requests1,000nothing before");
  expect(figure("Cost per request")).toBe("Cost per request–nothing before");
  expect(figure("Errors")).toBe("Errors–nothing before");
  expect(figure("Saved by caching")).toBe("Saved by caching$0.00nothing came from a cache");
  expect(figure("Duration, p50 and p95")).toBe("Duration, p50 and p95……");
});
