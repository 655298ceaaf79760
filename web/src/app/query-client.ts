import { QueryClient } from "@tanstack/react-query";
import { Failure } from "@/api/client";

/** What cannot be reached may be there a moment later; what was refused is refused again. */
const isPassing = (failure: Error) => failure instanceof Failure && (failure.status === 0 || failure.status === 503);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: true,
      retry: (count, failure) => count < 2 && isPassing(failure),
    },
    mutations: { retry: false },
  },
});
