import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { newestRecord } from "@/api/queries";
import { buttonClasses } from "./ui/button";
import { Empty } from "./ui/states";

/** Nothing to show: because of what was asked for, or because nothing was ever recorded. */
export function NoCalls() {
  const { data } = useQuery(newestRecord());
  if (data?.pagination.total !== 0)
    return <Empty title="No calls match">Choose a longer period, or take out a filter.</Empty>;
  return (
    <Empty title="No call yet">
      <p>Calls are here as soon as they are recorded.</p>
      <Link to="/" className={`${buttonClasses()} mt-3`}>
        Record the first one
      </Link>
    </Empty>
  );
}
