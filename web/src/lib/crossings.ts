type Fired = {
  id: string;
  budgetId: string;
  periodStart: string;
  threshold: number;
  exceeded: boolean;
  readAt?: string | null;
};
type Crossing<Alert> = { shown: Alert; ids: string[] };

/** A budget with a threshold of 100 % says twice that it is used up: that is one thing to know, and to deal with. */
export function crossings<Alert extends Fired>(alerts: readonly Alert[]): Crossing<Alert>[] {
  const entries = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const isFull = alert.exceeded || alert.threshold === 100;
    const key = isFull ? `${alert.budgetId} ${alert.periodStart}` : alert.id;
    entries.set(key, [...(entries.get(key) ?? []), alert]);
  }
  return [...entries.values()].map((same) => {
    const [first] = same as [Alert];
    const shown = same.find(({ exceeded }) => exceeded) ?? first;
    const isRead = same.every(({ readAt }) => readAt);
    return { shown: isRead ? shown : { ...shown, readAt: null }, ids: same.map(({ id }) => id) };
  });
}
