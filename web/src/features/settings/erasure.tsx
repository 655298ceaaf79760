import { useMutation } from "@tanstack/react-query";
import { Lock } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, dataOf, type Schemas } from "@/api/client";
import { useSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Checkbox, Field, Input } from "@/components/ui/field";
import { Empty, InlineFailure } from "@/components/ui/states";
import { formatCount } from "@/lib/numbers";

type Counts = Schemas["Erasure"];
type Whom = { email: string; userEmail?: string; customerEmail?: string };

const eraseOf = ({ userEmail, customerEmail }: Whom, dryRun: boolean): Promise<Counts> =>
  dataOf(
    api.POST("/api/erasures", {
      body: { ...(userEmail ? { userEmail } : {}), ...(customerEmail ? { customerEmail } : {}), dryRun },
    }),
  );

/** Takes a person out of every record: first it is counted, then the address is typed once more. */
export function Erasure() {
  const session = useSession();
  if (session.state !== "in" || !isAdministrator(session.user)) {
    return (
      <Card>
        <Empty icon={<Lock />} title="You may not see this">
          Administrators of the installation take people out of records. Ask one of them.
        </Empty>
      </Card>
    );
  }
  return (
    <Card>
      <CardHead
        title="Erase a person"
        hint="Takes an address, and what was said under it, out of every record. Costs and sums stay as they are."
      />
      <ErasureForm />
    </Card>
  );
}

function ErasureForm() {
  const [whom, setWhom] = useState<Whom>();
  const count = useMutation({
    mutationFn: (asked: Whom) => eraseOf(asked, true),
    onSuccess: (_, asked) => setWhom(asked),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const email = String(form.get("email")).trim();
    setWhom(undefined);
    count.mutate({
      email,
      ...(form.has("asUser") ? { userEmail: email } : {}),
      ...(form.has("asCustomer") ? { customerEmail: email } : {}),
    });
  };
  return (
    <div className="grid gap-4 px-4 pb-4 sm:px-5">
      <form onSubmit={submit} className="grid gap-4 sm:grid-cols-2">
        <Field label="E-mail address" className="sm:col-span-2">
          {(parts) => <Input {...parts} name="email" type="email" required autoComplete="off" />}
        </Field>
        <Checkbox name="asUser" defaultChecked label="As a user" hint="Records that have it as userEmail." />
        <Checkbox
          name="asCustomer"
          defaultChecked
          label="As a customer"
          hint="Records that have it as customerEmail."
        />
        <div className="sm:col-span-2">
          <InlineFailure failure={count.error} />
        </div>
        <div className="flex justify-end sm:col-span-2">
          <Button type="submit" busy={count.isPending}>
            Count what would be erased
          </Button>
        </div>
      </form>
      {whom && count.data && <Confirmation key={whom.email} whom={whom} counts={count.data} />}
    </div>
  );
}

function Confirmation({ whom, counts }: { whom: Whom; counts: Counts }) {
  const [typed, setTyped] = useState("");
  const erase = useMutation({ mutationFn: () => eraseOf(whom, false) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    erase.mutate();
  };
  const isNone = counts.records === 0 && counts.events === 0;
  if (erase.data) return <Done done={erase.data} />;
  return (
    <div className="grid gap-4 border-t pt-4">
      <CountList counts={counts} />
      {isNone ? (
        <p role="status">No record names {whom.email}. There is nothing to erase.</p>
      ) : (
        <form onSubmit={submit} className="grid gap-4">
          <p className="rounded-lg bg-bad-soft px-3 py-2 text-bad">
            This cannot be undone. Backups and exports that were made before are not reached.
          </p>
          <Field label="Type the address again to erase it">
            {(parts) => (
              <Input {...parts} value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" />
            )}
          </Field>
          <InlineFailure failure={erase.error} />
          <div className="flex justify-end">
            <Button type="submit" look="danger" disabled={typed.trim() !== whom.email} busy={erase.isPending}>
              Erase for good
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}

function CountList({ counts }: { counts: Counts }) {
  const rows = [
    ["Records", counts.records],
    ["Texts", counts.contents],
    ["Conversations", counts.sessions],
    ["Traces", counts.traces],
    ["Events", counts.events],
  ] as const;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-line sm:grid-cols-5">
      {rows.map(([name, count]) => (
        <div key={name} className="bg-surface px-3 py-2 last:col-span-2 sm:last:col-span-1">
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="nums text-lg font-semibold">{formatCount(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Done({ done }: { done: Counts }) {
  return (
    <div role="status" className="grid gap-3 border-t pt-4">
      <p className="font-medium">The person is taken out. This is what was erased:</p>
      <CountList counts={done} />
      {done.pseudonym && (
        <p className="text-[13px] break-all text-muted">In place of the address there is now {done.pseudonym}.</p>
      )}
      {!done.isLogEmptied && (
        <p className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
          Somebody was reading the database all the while: some of it may still be in its files. Erase once more later.
        </p>
      )}
    </div>
  );
}
