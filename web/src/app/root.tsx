import { useQuery } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect } from "react";
import { refreshSession, useSession } from "@/api/session";
import { FailureNotice } from "@/components/ui/states";
import { Toasts } from "@/components/ui/toasts";
import { SignIn } from "@/features/start/sign-in";
import { queryClient } from "./query-client";
import { Shell } from "./shell";

/** For people who cannot log in. */
const OPEN_PAGES: ReadonlySet<string> = new Set(["/forgot-password", "/reset-password"]);

/** The log-in stands in place of the page that was asked for, so that a shared link is still there after it. */
export function Root() {
  const session = useSession();
  const isOpen = useRouterState({ select: ({ location }) => OPEN_PAGES.has(location.pathname) });
  const first = useQuery({
    queryKey: ["session"],
    queryFn: refreshSession,
    enabled: session.state === "unknown" && !isOpen,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const person = session.state === "in" ? session.user.id : undefined;
  useEffect(() => {
    // What one person has seen is not for the next.
    if (!person)
      queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" && queryKey[0] !== "setup" });
  }, [person]);
  return (
    <>
      {isOpen ? (
        <Suspense>
          <Outlet />
        </Suspense>
      ) : session.state === "in" ? (
        <Shell user={session.user}>
          <Outlet />
        </Shell>
      ) : session.state === "out" ? (
        <SignIn />
      ) : first.error ? (
        <FailureNotice failure={first.error} onRetry={() => first.refetch()} />
      ) : null}
      <Toasts />
    </>
  );
}
