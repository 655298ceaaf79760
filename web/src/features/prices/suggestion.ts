import { useQuery } from "@tanstack/react-query";
import { api, dataOf } from "@/api/client";
import { stemsOf } from "@/lib/prices";
import type { Candidate } from "./queries";

/** The model of the catalog whose name is most like it, if there is one. */
export const useSuggestion = (model: string) =>
  useQuery({
    queryKey: ["prices", "suggestion", model],
    async queryFn({ signal }): Promise<Candidate | null> {
      for (const search of stemsOf(model)) {
        const rows = await dataOf(
          api.GET("/api/prices", { params: { query: { page: 1, limit: 100, search } }, signal }),
        );
        // The shortest name that has the stem says the least that is not known of this one.
        const [best] = rows.sort((one, other) => one.model.length - other.model.length);
        if (best) return { service: best.provider, model: best.model };
      }
      return null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
