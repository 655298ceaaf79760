import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { signedIn, type User } from "@/api/session";
import { routeTree } from "@/app/router";
import { parseSearch, stringifySearch } from "@/app/search";

/** A page as somebody sees it who is logged in; says where they are. */
export function openPage(address: string, role: User["role"] = "owner") {
  signedIn({
    user: { id: "1", _id: "1", email: "ada@example.com", name: "Ada", role },
    accessToken: "token",
    refreshToken: "token",
    expiresIn: 3600,
  } as unknown as Parameters<typeof signedIn>[0]);
  const history = createMemoryHistory({ initialEntries: [address] });
  const router = createRouter({ routeTree, parseSearch, stringifySearch, history });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  return { address: () => history.location.href };
}
