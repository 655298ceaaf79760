import { Link } from "@tanstack/react-router";
import { buttonClasses } from "@/components/ui/button";
import { PageHead } from "@/components/ui/card";
import { FailureNotice } from "@/components/ui/states";

export function NotFound() {
  return (
    <>
      <PageHead title="There is no such page" hint="The address may have a typing mistake." />
      <Link to="/" className={buttonClasses()}>
        To the overview
      </Link>
    </>
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
