import { Search } from "lucide-react";
import type { FormEvent } from "react";
import { Input } from "./ui/field";

/** Words that records must have somewhere; `/` goes here. */
export function SearchBox({
  text,
  onSearch,
}: {
  text: string | undefined;
  onSearch: (text: string | undefined) => void;
}) {
  const find = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(String(new FormData(event.currentTarget).get("search") ?? "").trim() || undefined);
  };
  return (
    <form onSubmit={find} className="relative min-w-0 basis-full sm:basis-72" key={text ?? ""}>
      <Search aria-hidden="true" className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted" />
      <Input
        name="search"
        type="search"
        data-page-search
        aria-label="Search in records"
        placeholder="Search in records"
        defaultValue={text}
        className="h-8 pl-8"
      />
    </form>
  );
}
