import { getRouteApi } from "@tanstack/react-router";
import { Bookmark, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useChangePreferences, usePreferences } from "@/app/preferences";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { Popover } from "@/components/ui/menu";
import { toast } from "@/components/ui/toasts";

const route = getRouteApi("/explorer");

/** Views by name, kept with the account. */
export function SavedViews() {
  const { savedViews } = usePreferences();
  const change = useChangePreferences();
  const navigate = route.useNavigate();
  const [open, setOpen] = useState(false);
  const keep = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    if (!name) return;
    const url = window.location.pathname + window.location.search;
    change.mutate(
      { savedViews: [...savedViews.filter((view) => view.name !== name), { name, url }] },
      { onSuccess: () => toast(`Saved as “${name}”`), onError: (failure) => toast(failure.message, true) },
    );
    setOpen(false);
  };
  return (
    <Popover
      label="Saved views"
      open={open}
      onOpen={setOpen}
      trigger={
        <Button>
          <Bookmark />
          Views
        </Button>
      }
    >
      <ul className="mb-3">
        {savedViews.map((view) => (
          <li key={view.name} className="flex items-center gap-1">
            <button
              type="button"
              className="min-w-0 flex-1 truncate rounded-md px-2 py-1.5 text-left hover:bg-sunken"
              onClick={() => {
                setOpen(false);
                void navigate({ href: view.url });
              }}
            >
              {view.name}
            </button>
            <Button
              look="quiet"
              size="small-icon"
              aria-label={`Delete the view ${view.name}`}
              onClick={() => change.mutate({ savedViews: savedViews.filter((one) => one !== view) })}
            >
              <Trash2 />
            </Button>
          </li>
        ))}
        {savedViews.length === 0 && <li className="px-2 text-muted">No view is saved yet.</li>}
      </ul>
      <form onSubmit={keep} className="flex gap-2 border-t pt-3">
        <Input name="name" aria-label="Name of this view" placeholder="Name of this view" required />
        <Button type="submit" look="primary">
          Save
        </Button>
      </form>
    </Popover>
  );
}
