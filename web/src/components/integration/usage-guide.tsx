import { API_URL } from "@/api/session";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";

/** What can be said of a call: as a field of what is sent, and as a header through the gateway. */
const SAID: { what: string; field: string; header: string }[] = [
  { what: "Whose it is", field: "projectId", header: "X-Project-Id" },
  { what: "Who pays", field: "costAllocation", header: "X-Cost-Department, X-Cost-Team, …" },
  { what: "Tags", field: "tags", header: "X-Cost-Tags" },
  { what: "Your user, your customer", field: "userEmail, customerEmail", header: "X-User-Email, X-Customer-Email" },
  { what: "The conversation", field: "sessionId", header: "X-Session-Id" },
  { what: "Its own id: sent twice, counted once", field: "requestId", header: "the provider's own" },
  { what: "What was counted", field: "usage: the provider's own object", header: "read from the answer" },
];

const ANSWERS: [string, string][] = [
  ["201", "It is recorded, durably; the answer says what it cost, or that there is no price yet."],
  ["401", "The key is wrong, has expired, or is used from another network than it may be."],
  ["402", "A budget that blocks is used up; only through the gateway."],
  ["422", "A field is wrong: the answer names it. Sent again as it is, it is refused again."],
  ["429, 503", "Later: Retry-After says when. Send it with the same id."],
];

/** How calls are told of, and what the server answers. */
export function UsageGuide() {
  return (
    <div className="grid min-w-0 grid-cols-1 gap-4">
      <Table
        label="What can be said of a call"
        className="rounded-lg border"
        columns={[{ name: "Of a call" }, { name: "As a field" }, { name: "Through the gateway, as a header" }]}
      >
        {SAID.map(({ what, field, header }) => (
          <Row key={what}>
            <RowHead>{what}</RowHead>
            <Cell className="font-mono text-xs">{field}</Cell>
            <Cell className="font-mono text-xs">{header}</Cell>
          </Row>
        ))}
      </Table>
      <Table
        label="What the server answers"
        className="rounded-lg border"
        columns={[{ name: "Answer" }, { name: "What it means" }]}
      >
        {ANSWERS.map(([status, meaning]) => (
          <Row key={status}>
            <RowHead className="nums whitespace-nowrap">{status}</RowHead>
            <Cell>{meaning}</Cell>
          </Row>
        ))}
      </Table>
      <p className="text-muted">
        Every field and every route is in the{" "}
        <a href={`${API_URL}/docs/api`} className="font-medium text-accent-text hover:underline">
          API reference
        </a>
        .
      </p>
    </div>
  );
}
