import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Input } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Badge, Empty } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { formatDay, today } from "@/lib/days";
import { counted } from "@/lib/numbers";
import { conditionsText } from "@/lib/prices";
import { catalog, type PriceView } from "./queries";
import { Rate } from "./rate";

const route = getRouteApi("/prices");

const COLUMNS = [
  { name: "Model" },
  { name: "Conditions", className: "hidden sm:table-cell" },
  { name: "Input", align: "right" },
  { name: "Cached input", align: "right", className: "hidden sm:table-cell" },
  { name: "Output", align: "right" },
  { name: "Source", className: "hidden md:table-cell" },
] as const;

/** The prices that hold today, in dollars per million tokens. */
export function Catalog() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const page = Math.max(1, Number(search.page) || 1);
  // A day's beginning: the same question all day long.
  const at = `${today(new Date(), "UTC")}T00:00:00Z`;
  const rows = useQuery(catalog({ search: search.search, service: search.service, at, page }));
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, page: undefined, ...next }), replace: true, resetScroll: false });
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Input
          type="search"
          data-page-search
          aria-label="Find a model"
          placeholder="Find a model"
          className="w-64"
          value={search.search ?? ""}
          onChange={(event) => change({ search: event.target.value || undefined })}
        />
        <Input
          aria-label="Provider"
          placeholder="Any provider"
          className="w-44"
          value={search.service ?? ""}
          onChange={(event) => change({ service: event.target.value.trim() || undefined })}
        />
        {rows.data && (
          <span className="text-muted">{counted(rows.data.pagination.total ?? 0, "price")} in force today</span>
        )}
      </div>
      <Loaded query={rows} skeleton="h-[32rem]">
        {({ items, pagination }) => (
          <Card className="overflow-hidden">
            {items.length === 0 ? (
              <Empty title="No price of that name">
                The catalog may call it otherwise, or you may import a newer list.
              </Empty>
            ) : (
              <Table label="Prices" columns={COLUMNS} className="max-h-none">
                {items.map((price) => (
                  <CatalogRow key={price.id} price={price} />
                ))}
              </Table>
            )}
            {(pagination.pages ?? 1) > 1 && (
              <div className="flex items-center justify-between gap-3 border-t px-4 py-2.5">
                <Button disabled={!pagination.hasPrev} onClick={() => change({ page: String(page - 1) })}>
                  Before
                </Button>
                <span className="nums text-muted">
                  {page} of {pagination.pages}
                </span>
                <Button disabled={!pagination.hasNext} onClick={() => change({ page: String(page + 1) })}>
                  Next
                </Button>
              </div>
            )}
          </Card>
        )}
      </Loaded>
    </>
  );
}

function CatalogRow({ price }: { price: PriceView }) {
  const conditions = conditionsText(price.conditions);
  return (
    <Row>
      <RowHead>
        <Link to="/prices" search={{ model: price.model }} className="rounded font-medium hover:underline">
          {price.model}
        </Link>
        <span className="block text-xs text-muted">
          {price.provider}
          <span className="sm:hidden">, {conditions}</span>
        </span>
      </RowHead>
      <Cell className="hidden sm:table-cell">
        {conditions === "standard" ? <span className="text-muted">standard</span> : <Badge>{conditions}</Badge>}
      </Cell>
      <Cell right>
        <Rate price={price} unit="input_tokens" />
      </Cell>
      <Cell right className="hidden sm:table-cell">
        <Rate price={price} unit="cache_read_tokens" />
      </Cell>
      <Cell right>
        <Rate price={price} unit="output_tokens" />
      </Cell>
      <Cell className="hidden text-xs whitespace-nowrap text-muted md:table-cell">
        {price.source.name} {price.source.version}
        {price.source.checkedOn && (
          <span className="block">
            checked {formatDay(price.source.checkedOn, { day: "numeric", month: "short", year: "numeric" })}
          </span>
        )}
      </Cell>
    </Row>
  );
}
