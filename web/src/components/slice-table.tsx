import type { ReactNode } from "react";
import type { Slice } from "@/api/queries";
import { formatMoney } from "@/lib/money";
import { formatCompact, formatCount, formatShare } from "@/lib/numbers";
import { Cell, Row, RowHead, Table } from "./ui/table";

/** A sum, or what is known of it. */
export const knownCost = ({
  cost,
  requests,
  unpricedRequests,
}: Pick<Slice, "cost" | "requests" | "unpricedRequests">): string =>
  requests > 0 && requests === unpricedRequests ? "unknown" : formatMoney(cost);

type Props = {
  /** What the values are. */
  name: string;
  slices: readonly Slice[];
  /** A value as a link, say. */
  nameOf?: (slice: Slice) => ReactNode;
};

/** The values of a dimension with their parts of the whole, largest first. */
export function SliceTable({ name, slices, nameOf = (slice) => slice.name }: Props) {
  return (
    <Table
      label={name}
      className="max-h-96 rounded-lg border"
      columns={[
        { name },
        { name: "Share", align: "right" },
        { name: "Requests", align: "right", className: "hidden sm:table-cell" },
        { name: "Tokens", align: "right", className: "hidden sm:table-cell" },
        { name: "Cost", align: "right" },
      ]}
    >
      {slices.map((slice) => (
        <Row key={slice.id ?? slice.name}>
          <RowHead className="max-w-40 sm:max-w-72">
            <span className="block truncate" title={slice.name}>
              {nameOf(slice)}
            </span>
            <span aria-hidden="true" className="mt-1 block h-1 rounded-full bg-sunken">
              <span
                className="block h-full rounded-full bg-accent"
                style={{ width: `${Math.min(100, (slice.share ?? 0) * 100)}%` }}
              />
            </span>
          </RowHead>
          <Cell right className="text-muted">
            {slice.share == null ? "–" : formatShare(slice.share)}
          </Cell>
          <Cell right className="hidden sm:table-cell">
            {formatCount(slice.requests)}
          </Cell>
          <Cell right className="hidden sm:table-cell" title={formatCount(slice.tokens)}>
            {formatCompact(slice.tokens)}
          </Cell>
          <Cell right className="font-medium">
            {knownCost(slice)}
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
