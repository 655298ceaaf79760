import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "./ui/button";
import { Card } from "./ui/card";
import { Loaded } from "./ui/loaded";

type Props<Item> = {
  list: UseInfiniteQueryResult<InfiniteData<{ items: Item[] }>>;
  /** Which of them are shown: what stands above the list. */
  controls: ReactNode;
  /** What is said when there are none. */
  empty: ReactNode;
  children: (items: Item[]) => ReactNode;
};

/** A list of events, the newest first; earlier ones are fetched when they are asked for. */
export function PagedList<Item>({ list, controls, empty, children }: Props<Item>) {
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center gap-3">{controls}</div>
      <Loaded query={list} skeleton="h-80">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          return (
            <Card>
              {items.length === 0 ? empty : <ul className="divide-y">{children(items)}</ul>}
              {list.hasNextPage && (
                <p className="border-t p-3 text-center">
                  <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                    Show earlier ones
                  </Button>
                </p>
              )}
            </Card>
          );
        }}
      </Loaded>
    </>
  );
}
