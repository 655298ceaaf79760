import { fireEvent, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openPage } from "../../../tests/page";
import { server } from "../../../tests/server";

const takes = (path: string, sent: unknown[], status = 200) =>
  http.post(`*${path}`, async ({ request }) => {
    sent.push(await request.json());
    return HttpResponse.json({ success: true, data: {} }, { status });
  });
const refusesPost = (path: string, status: number, error: { code: string; message: string; details?: unknown[] }) =>
  http.post(`*${path}`, () => HttpResponse.json({ success: false, error }, { status }));

test("who forgot the password is told the same whether there is an account or not", async () => {
  const sent: unknown[] = [];
  server.use(takes("/api/auth/forgot-password", sent, 202));
  openPage("/forgot-password");
  fireEvent.change(await screen.findByLabelText("E-mail"), { target: { value: "ada@example.com" } });
  fireEvent.click(screen.getByRole("button", { name: "Send the e-mail" }));
  await screen.findByText(/If there is an account for ada@example\.com, an e-mail is on its way/);
  expect(sent).toEqual([{ email: "ada@example.com" }]);
});

test("without a mail server one is told whom to ask", async () => {
  server.use(refusesPost("/api/auth/forgot-password", 409, { code: "mail_not_configured", message: "no" }));
  openPage("/forgot-password");
  fireEvent.click(await screen.findByRole("button", { name: "Send the e-mail" }));
  await screen.findByText(/Ask its administrator/);
});

test("the token behind the link sets the password, and is not left in the address", async () => {
  const sent: unknown[] = [];
  server.use(takes("/api/auth/reset-password", sent));
  const { address } = openPage("/reset-password#token=abc_1-x");
  fireEvent.change(await screen.findByLabelText("New password"), { target: { value: "a-new-password" } });
  await waitFor(() => expect(address()).toBe("/reset-password"));
  expect(screen.queryByLabelText("Code")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Set the password" }));
  await screen.findByText("The password is changed");
  expect(sent).toEqual([{ token: "abc_1-x", newPassword: "a-new-password" }]);
});

test.each(["https://costs.example.com/reset-password#token=abc", " abc "])(
  "what is pasted is understood: %j",
  async (code) => {
    const sent: unknown[] = [];
    server.use(takes("/api/auth/reset-password", sent));
    openPage("/reset-password");
    fireEvent.change(await screen.findByLabelText("Code"), { target: { value: code } });
    fireEvent.change(screen.getByLabelText("New password"), { target: { value: "a-new-password" } });
    fireEvent.click(screen.getByRole("button", { name: "Set the password" }));
    await waitFor(() => expect(sent).toEqual([{ token: "abc", newPassword: "a-new-password" }]));
  },
);

test("a password that is too short is said at its field", async () => {
  const details = [{ field: "newPassword", message: "must have at least 8 characters" }];
  server.use(refusesPost("/api/auth/reset-password", 422, { code: "invalid_input", message: "no", details }));
  openPage("/reset-password#token=abc");
  fireEvent.click(await screen.findByRole("button", { name: "Set the password" }));
  await screen.findByText("must have at least 8 characters");
});

test("a link that was used leads to another e-mail", async () => {
  server.use(
    refusesPost("/api/auth/reset-password", 422, { code: "invalid_reset_token", message: "the link was used" }),
  );
  openPage("/reset-password#token=abc");
  fireEvent.click(await screen.findByRole("button", { name: "Set the password" }));
  await screen.findByText("the link was used");
  fireEvent.click(screen.getByRole("link", { name: "Ask for another e-mail" }));
  await screen.findByRole("button", { name: "Send the e-mail" });
});
