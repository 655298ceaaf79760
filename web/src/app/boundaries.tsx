import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { buttonClasses } from "@/components/ui/button";
import { Empty, FailureNotice } from "@/components/ui/states";

export function NotFound() {
  return (
    <Empty icon={<Compass />} title="There is no such page">
      <p>The address may have a typing mistake.</p>
      <Link to="/" className={`${buttonClasses()} mt-3`}>
        To the overview
      </Link>
    </Empty>
  );
}

/** A defect of a page, or a part of it that could not be fetched (a newer version was installed). */
export function LoadFailure({ error }: { error: unknown }) {
  return (
    <FailureNotice
      failure={error instanceof Error ? error : new Error(String(error))}
      onRetry={() => window.location.reload()}
    />
  );
}
