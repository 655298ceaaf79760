type Fired = {
  id: string;
  budgetId: string;
  periodStart: string;
  threshold: number;
  exceeded: boolean;
  readAt?: string | null;
};
type Crossing<Alert> = { shown: Alert; ids: string[] };

/**
 * What told of one threshold of one period is one thing to know, and to deal with: an alert by e-mail and one by webhook,
 * and that 100 % were reached and the budget is used up.
 */
export function crossings<Alert extends Fired>(alerts: readonly Alert[]): Crossing<Alert>[] {
  const entries = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = `${alert.budgetId} ${alert.periodStart} ${alert.exceeded ? 100 : alert.threshold}`;
    entries.set(key, [...(entries.get(key) ?? []), alert]);
  }
  return [...entries.values()].map((same) => {
    const [first] = same as [Alert];
    const shown = same.find(({ exceeded }) => exceeded) ?? first;
    const isRead = same.every(({ readAt }) => readAt);
    return { shown: isRead ? shown : { ...shown, readAt: null }, ids: same.map(({ id }) => id) };
  });
}
