import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, dataOf, Failure } from "@/api/client";
import { setup } from "@/api/queries";
import { signedIn } from "@/api/session";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { FailureNotice, InlineFailure } from "@/components/ui/states";
import { DOOR_FORM, Door } from "./door";

type Way = "login" | "owner" | "register";

const WORDS: Record<Way, { title: string; hint: string; submit: string }> = {
  owner: {
    title: "Create the owner",
    hint: "This is a new installation. The first account owns it.",
    submit: "Create account",
  },
  login: { title: "Log in", hint: "To see what your LLM calls cost.", submit: "Log in" },
  register: { title: "Create an account", hint: "", submit: "Create account" },
};

const FIELDS = ["name", "email", "password", "invitation"];

/** Log-in, the first account, and registration with an invitation. */
export function SignIn() {
  const { data: state, error, refetch } = useQuery(setup());
  const [chosen, setChosen] = useState<Way>();
  const way = chosen ?? (state?.needsOwner ? "owner" : "login");
  const enter = useMutation({
    mutationFn: (form: Record<string, string>) => {
      const { email = "", password = "", name = "", invitation = "" } = form;
      if (way === "login") return dataOf(api.POST("/api/auth/login", { body: { email, password } }));
      const code = invitation.trim() ? { invitation: invitation.trim() } : {};
      return dataOf(api.POST("/api/auth/register", { body: { email, password, name, ...code } }));
    },
    onSuccess: signedIn,
    onError: (failure) => {
      const field =
        failure instanceof Failure
          ? failure.details.find((problem) => FIELDS.includes(problem.field))?.field
          : undefined;
      document.querySelector<HTMLInputElement>(`input[name="${field ?? "password"}"]`)?.focus();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    enter.mutate(Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>);
  };
  const problem = (field: string) =>
    enter.error instanceof Failure ? enter.error.details.find((one) => one.field === field)?.message : undefined;
  const general = enter.error && !FIELDS.some(problem) ? enter.error : null;
  if (error) return <FailureNotice failure={error} onRetry={() => void refetch()} />;
  if (!state) return null;
  const { title, hint, submit: action } = WORDS[way];
  const registers = way !== "login";
  return (
    <Door>
      <form onSubmit={submit} noValidate className={DOOR_FORM}>
        <div>
          <h1 className="text-lg font-semibold">{title}</h1>
          {hint && <p className="text-muted">{hint}</p>}
        </div>
        {registers && (
          <Field label="Name" problem={problem("name")}>
            {(parts) => <Input {...parts} name="name" autoComplete="name" required />}
          </Field>
        )}
        <Field label="E-mail" problem={problem("email")}>
          {(parts) => <Input {...parts} name="email" type="email" autoComplete="username" required />}
        </Field>
        <Field label="Password" hint={registers ? "At least 8 characters." : undefined} problem={problem("password")}>
          {(parts) => (
            <Input
              {...parts}
              name="password"
              type="password"
              autoComplete={registers ? "new-password" : "current-password"}
              required
            />
          )}
        </Field>
        {way === "register" && !state.signupOpen && (
          <Field
            label="Invitation"
            hint="The code that the person who invited you sent."
            problem={problem("invitation")}
          >
            {(parts) => <Input {...parts} name="invitation" autoComplete="off" />}
          </Field>
        )}
        {!registers && (
          <p className="-mt-2 text-right text-[13px]">
            <Link to="/forgot-password" className="rounded font-medium text-accent-text hover:underline">
              Forgotten the password?
            </Link>
          </p>
        )}
        <InlineFailure failure={general} />
        <Button type="submit" look="primary" busy={enter.isPending}>
          {action}
        </Button>
      </form>
      <p className="mt-4 text-center">
        <button
          type="button"
          className="rounded font-medium text-accent-text hover:underline"
          onClick={() => {
            enter.reset();
            setChosen(registers ? "login" : state.needsOwner ? "owner" : "register");
          }}
        >
          {registers
            ? "Log in instead"
            : state.needsOwner
              ? "Create the owner instead"
              : state.signupOpen
                ? "Create an account"
                : "I have an invitation"}
        </button>
      </p>
      {state.needsOwner && (
        <p className="mt-4 text-center text-[13px] text-muted">
          Only want to look around? Stop the server, run <code className="font-mono">ai-cost-tracker demo</code> and
          start it again.
        </p>
      )}
    </Door>
  );
}
