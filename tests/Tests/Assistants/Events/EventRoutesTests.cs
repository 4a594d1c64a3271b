using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Assistants.Purchases;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Events;

/// <summary>Notifications, reminders, purchases, and what the background service gives to be told.</summary>
public sealed class EventRoutesTests(EventsSite events) : IClassFixture<EventsSite>, IAsyncLifetime
{
    private AssistantsSite Site => events.Site;

    // Many a test sets the clock as it likes.
    public async ValueTask InitializeAsync() => await events.ForgetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_notification_goes_to_all_devices_once_a_day_and_one_that_is_gone_is_not_asked_again()
    {
        // It has no access token yet.
        await using var own = new EventsSite();
        await own.InitializeAsync();
        var user = await own.Site.UserAsync("Ada", "Asia/Tokyo");
        var (first, second, gone, wrong) = ($"first-{user.Id}", $"second-{user.Id}", $"gone-{user.Id}", $"wrong-{user.Id}");
        foreach (var device in (string[])[first, second, gone, wrong])
        {
            await own.Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = device });
        }
        own.Fcm.Answer(gone, 404, "UNREGISTERED");
        own.Fcm.Answer(wrong, 400, "INVALID_ARGUMENT", field: "message.token");
        await own.TodoAsync(user, "Call Bob", "2027-03-20", created: "2027-03-10T01:00:00Z");
        await own.TickAsync("2027-03-09T12:00:00Z");

        await own.TickAsync("2027-03-10T05:00:00Z");
        var page = await own.Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/send_daily_notifications");
        await own.Site.Host.RunJobsAsync();

        Assert.Contains(user.Id, page["user_ids"]!.AsArray().Select(id => (string)id!));
        Assert.All([first, second], device =>
        {
            var message = Assert.Single(own.Fcm.To(device));
            Assert.Equal((user.Id, "todos", 2),
                ((string?)message["data"]!["user_id"], (string?)message["data"]!["type"], message["data"]!.AsObject().Count));
        });
        Assert.Equal("first second", await own.Site.ValueAsync<string>("""
            select string_agg(split_part(fcm_token, '-', 1), ' ' order by id) from assistants.devices where user_id = $1 and is_valid
            """, user.Id));
        Assert.Equal(1, own.Fcm.Tokens);
    }

    [Fact]
    public async Task What_the_background_gives_is_told_and_kept_or_refused_and_nothing_kept()
    {
        var user = await Site.UserAsync("Ada", "UTC");
        var device = $"only-{user.Id}";

        Assert.Equal("500 The notification was sent to no device", await TellAsync(user, Notification()));
        await Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = device });
        var told = await Site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "/event", Of(user, Notification()));
        Assert.Equal("chat", (string?)Assert.Single(events.Fcm.To(device))["data"]!["type"]);
        events.Fcm.Answer(device, 400, "INVALID_ARGUMENT", field: "message.notification.body");
        Assert.Equal("500 The notification was sent to no device", await TellAsync(user, Notification()));
        var mailed =
            await Site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "/event", Of(user, Email("reminder_email", "Hello **you**")));
        var again = await Site.OkAsync(
            AssistantsSite.Background, HttpMethod.Put, "/event", Of(user, Email("reminder_email", "Hello again")));
        await Site.Host.RunJobsAsync();

        Assert.Equal((int)mailed["event_pk"]!, (int)again["event_pk"]!);
        Assert.Contains(
            "<p>Hello <strong>you</strong></p>", Assert.Single(events.MailsOf(user)).Part("text/html")!, StringComparison.Ordinal);
        Assert.Equal(
            $"{told["event_pk"]},{mailed["event_pk"]}",
            await Site.ValueAsync<string>(
                "select string_agg(id::text, ',' order by id) from assistants.events where user_id = $1 and delivered_at is not null",
                user.Id));
        Assert.Equal(2, await Site.ValueAsync<long>("select count(*) from assistants.events where user_id = $1", user.Id));
        Assert.True(await Site.ValueAsync<bool>("select is_valid from assistants.devices where fcm_token = $1", device));
    }

    [Fact]
    public async Task A_bad_event_or_device_is_refused()
    {
        var user = await Site.UserAsync();
        (string Answer, JsonObject Change)[] wrong =
        [
            ("400 Unknown event type", new() { ["event_type"] = "telegram" }),
            ("400 Invalid field 'user_id'", new() { ["user_id"] = "nobody" }),
            ("400 Missing field 'data'", new() { ["data"] = null }),
            ("400 Invalid field 'data'", new() { ["data"] = new JsonArray() }),
            ("400 Invalid field 'data'", new() { ["data"] = new JsonObject { ["x"] = new JsonObject() } }),
            ("400 Invalid field 'data'", new() { ["data"] = new JsonObject { ["x"] = new string('x', 5_000) } }),
            ("400 Missing field 'title'", new() { ["message"] = "text" }),
            ("400 Missing field 'body'", new() { ["message"] = new JsonObject { ["title"] = "t" } }),
            ("400 Invalid field 'title'", new() { ["message"] = new JsonObject { ["title"] = 1, ["body"] = "b" } }),
            ("400 Invalid field 'message'", new() { ["message"] = new JsonObject { ["title"] = "a\0b", ["body"] = "b" } }),
        ];
        foreach (var (answer, change) in wrong)
        {
            var body = Of(user, Notification());
            foreach (var (name, value) in change)
            {
                body[name] = value?.DeepClone();
            }
            Assert.Equal(answer, await Site.StatusAsync(AssistantsSite.Background, HttpMethod.Put, "/event", body));
        }
        foreach (var address in (string[])["a@example.org, b@example.org",
            "Bob <b@example.org>", "b@example.org\r\nBcc: c@example.org", "nobody", ""])
        {
            var email = Email("x_email", "b");
            email["message"]!["email"] = address;
            Assert.StartsWith("400 Invalid field 'email'", await TellAsync(user, email), StringComparison.Ordinal);
        }
        foreach (var token in (JsonNode?[])["", "two words", "é", new string('x', 3_000), 5, null])
        {
            Assert.Equal("400 Invalid field 'fcm_token'",
                await Site.StatusAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = token?.DeepClone() }));
        }
        Assert.Equal("400 Missing field 'fcm_token'", await Site.StatusAsync(user.Token, HttpMethod.Put, "/device", []));
        Assert.Equal("404 Error generating events : Unknown event type x", await Site.StatusAsync(
            null, HttpMethod.Post, "/background/events_generation", new() { ["event_type"] = "x", ["data"] = new JsonArray() }));
        Assert.Equal("400 invalid inputs",
            await Site.StatusAsync(null, HttpMethod.Post, "/background/events_generation", new() { ["event_type"] = "daily_emails" }));
        Assert.Equal("400 invalid inputs", await Site.StatusAsync(
            null, HttpMethod.Post, "/background/events_generation",
            new() { ["event_type"] = "daily_emails", ["data"] = new JsonArray(1) }));
        Assert.Equal(0, await Site.ValueAsync<long>("select count(*) from assistants.events where user_id = $1", user.Id));
    }

    [Fact]
    public async Task A_device_belongs_to_whoever_signed_in_there_last()
    {
        var (one, two) = (await Site.UserAsync("One"), await Site.UserAsync("Two"));
        var token = $"shared-{one.Id}";

        var first = await Site.OkAsync(one.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = token });
        var second = await Site.OkAsync(two.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = token });

        Assert.Equal((int)first["device_pk"]!, (int)second["device_pk"]!);
        Assert.Equal(two.Id, await Site.ValueAsync<string>("select user_id from assistants.devices where fcm_token = $1", token));
    }

    [Fact]
    public async Task Of_very_many_devices_the_oldest_go()
    {
        var user = await Site.UserAsync("Many");
        await Site.SqlAsync(
            "insert into assistants.devices (user_id, fcm_token) select $1, 'many ' || n from generate_series(1, 100) n", user.Id);

        await Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = "many-and-one" });

        Assert.Equal("many 2 100", await Site.ValueAsync<string>(
            "select (array_agg(fcm_token order by id))[1] || ' ' || count(*) from assistants.devices where user_id = $1", user.Id));
    }

    [Fact]
    public async Task Layout_A_writes_what_it_is_given_for_each_user_and_passes_over_strangers()
    {
        var user = await Site.UserAsync("Grace", "UTC");
        events.Set("2027-04-07T20:00:00Z");
        await Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = $"given-{user.Id}" });
        JsonObject Given(string type, JsonObject item) =>
            new() { ["event_type"] = type, ["data"] = new JsonArray(item, new JsonObject { ["user_id"] = 5 }) };

        foreach (var body in (JsonObject[])[
            Given("todo_daily_emails", new()
            {
                ["user_id"] = user.Id, ["today_todo_list"] =
                    new JsonArray(new JsonObject { ["description"] = "Given one", ["latest_produced_text_version_title"] = "Minutes" }),
                ["rescheduled_todos"] = new JsonArray(), ["deleted_todos"] = new JsonArray(),
            }),
            Given("daily_emails", new() { ["user_id"] = user.Id, ["n_meeting_minutes_today"] = 1 }),
            Given("daily_notifications", new() { ["user_id"] = user.Id, ["new_todos_today"] = new JsonArray("Call", 5) }),
            Given("calendar_suggestion_notifications",
                new() { ["user_id"] = user.Id, ["suggestion_text"] = "Prepare the meeting", ["task_pk"] = 7, ["task_name"] = "notes" }),
        ])
        {
            var started = await Site.OkAsync(null, HttpMethod.Post, "/background/events_generation", body);
            Assert.Equal("Process started", (string?)started["success"]);
        }
        await Site.Host.RunJobsAsync();

        Assert.Equal("calendar_suggestion_notification daily_notification todo_daily_email", await Site.ValueAsync<string>("""
            select string_agg(event_type, ' ' order by event_type) from assistants.events where user_id = $1 and delivered_at is not null
            """, user.Id));
        Assert.Contains(events.Provider.Requests,
            request => request.Json!.ToJsonString().Contains("Given one (from: Minutes)", StringComparison.Ordinal));
        Assert.Contains(events.Fcm.To($"given-{user.Id}"), message => (string?)message["data"]!["task_pk"] == "7");
    }

    [Fact]
    public async Task Who_recorded_no_conversation_is_reminded_twice_and_then_the_admins_are()
    {
        var user = await Site.UserAsync("Rita", "Asia/Karachi");
        var execution = await Site.ExecutionAsync(user, ["Minutes, please"]);
        await Site.SqlAsync("update assistants.task_executions set started_at = '2027-05-10T08:00:00Z' where id = $1", execution.Execution);
        await events.TickAsync("2027-05-10T06:00:00Z");

        await events.TickAsync("2027-05-10T12:00:00Z");
        Assert.Empty(events.MailsOf(user));
        await events.TickAsync("2027-05-11T12:00:00Z");
        await events.TickAsync("2027-05-12T12:00:00Z");
        await events.TickAsync("2027-05-13T12:00:00Z");

        Assert.Equal(2, events.MailsOf(user).Count);
        var told = Assert.Single(events.Smtp.To("admin@example.org"));
        Assert.Contains(user.Id, System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(told.Source.Split("\r\n\r\n")[1].Trim())),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Purchases_end_when_their_days_are_over_and_trials_that_nobody_uses_are_told_of_once()
    {
        events.Set("2027-06-16T12:00:00Z");
        var user = await Site.UserAsync("Trial");
        await Site.SqlAsync("update assistants.users set created_at = '2027-06-01' where id = $1", user.Id);
        async Task<int> BuyAsync(string label, string created) => await Site.ValueAsync<int>("""
            with product as (insert into assistants.products (label, is_free, days_valid) values ($2, true, 14) returning id)
            insert into assistants.purchases (user_id, product_id, created_at) select $1, id, $3 from product returning id
            """, user.Id, $"{label}-{user.Id}", ThinkingSite.At(created));
        var old = await BuyAsync("old", "2027-06-01T00:00:00Z");
        var running = await BuyAsync("running", "2027-06-05T00:00:00Z");

        var ended = await Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/check_expired_purchases");
        var none = await Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/check_expired_purchases");
        var away = await Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/check_disengaged_free_trial_users");
        await Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/check_disengaged_free_trial_users");
        await Site.Host.RunJobsAsync();

        Assert.Equal([old], ended["purchase_pks"]!.AsArray().Select(pk => (int)pk!));
        Assert.Empty(none["purchase_pks"]!.AsArray());
        Assert.Contains(user.Id, away["user_ids"]!.AsArray().Select(id => (string)id!));
        Assert.Equal("running", await Site.ValueAsync<string>("""
            select split_part(r.label, '-', 1) from assistants.purchases p
              join assistants.products r on r.id = p.product_id where p.user_id = $1 and p.is_active
            """, user.Id));
        Assert.Equal(2, events.Smtp.To("sales@example.org").Count);
        Assert.Equal(new DateTimeOffset(2027, 6, 10, 0, 0, 0, TimeSpan.Zero), PurchaseChecks.CutOff(new(2027, 6, 16)));
        Assert.True(running > old);
    }

    [Fact]
    public async Task Who_registers_is_welcomed_and_who_forgets_his_password_sets_another_by_a_link_once()
    {
        const string address = "lise@example.org";
        JsonObject account = new() { ["email"] = address, ["name"] = "Click https://evil.example",
            ["password"] = "the first of all", ["language_code"] = "fr" };
        var before = (string)(await Site.OkAsync(null, HttpMethod.Put, "/user", account))["token"]!;
        var others = await Site.UserAsync("Other");
        foreach (var asked in (string[])[address, "Lise@Example.org", "nobody@example.org"])
        {
            Assert.Equal("""{"success":true}""",
                (await Site.OkAsync(null, HttpMethod.Post, "/password", new() { ["email"] = asked })).ToJsonString());
        }
        using var plain = await Site.Host.Client.PostAsJsonAsync(
            "/assistants/password", new { email = "nobody@example.org" }, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, plain.StatusCode);
        await Site.Host.RunJobsAsync();

        var mails = events.Smtp.To(address);
        Assert.Equal(
            ["Bienvenue", "Votre nouveau mot de passe"], mails.Select(mail => mail.Header("Subject")).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("evil", string.Concat(mails.Select(mail => mail.Part("text/plain"))), StringComparison.Ordinal);
        var text = mails.Select(mail => mail.Part("text/plain")!).Single(text => text.Contains("token=", StringComparison.Ordinal));
        var token = text[(text.IndexOf("https://app.example.org/auth/reset-password?token=", StringComparison.Ordinal) + 50)..]
            .Split('\n')[0].Trim();
        Assert.Equal(
            0, await Site.ValueAsync<long>("select count(*) from platform.finished_jobs where args::text like '%' || $1 || '%'", token));
        Assert.Empty(events.Smtp.To("nobody@example.org"));

        JsonObject renewal = new() { ["token"] = token, ["new_password"] = "short" };
        Assert.StartsWith(
            "400 The password must have", await Site.StatusAsync(null, HttpMethod.Put, "/password", renewal), StringComparison.Ordinal);
        renewal["new_password"] = "the second of all";
        await Site.OkAsync(before, HttpMethod.Get, "/session");
        await Site.OkAsync(null, HttpMethod.Put, "/password", renewal);
        Assert.Equal("403 Token expired.", await Site.StatusAsync(before, HttpMethod.Get, "/session"));
        await Site.OkAsync(others.Token, HttpMethod.Get, "/session");
        Assert.Equal("400 Invalid token.", await Site.StatusAsync(null, HttpMethod.Put, "/password", renewal));
        renewal["token"] = others.Token;
        Assert.Equal("400 Invalid token.", await Site.StatusAsync(null, HttpMethod.Put, "/password", renewal));
        account["login_method"] = "email_password";
        Assert.Equal("400 Wrong email or password.", await Site.StatusAsync(null, HttpMethod.Post, "/user", account));
        account["password"] = "the second of all";
        await Site.OkAsync((string)(await Site.OkAsync(null, HttpMethod.Post, "/user", account))["token"]!, HttpMethod.Get, "/session");
        Assert.StartsWith("403", await Site.StatusAsync(token, HttpMethod.Get, "/session"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daily_notification_that_a_host_died_over_is_told_by_whoever_comes_next()
    {
        events.Set("2027-02-01T12:00:00Z");
        var user = await Site.UserAsync("Left");
        await Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = $"left-{user.Id}" });
        var left = await Site.ValueAsync<int>("""
            insert into assistants.events (user_id, event_type, message, dedup_key)
              values ($1, 'daily_notification', '{}', 'daily_notification:' || $1 || ':2027-02-01')
            returning id
            """, user.Id);
        var body = Of(user, Notification());
        body["event_type"] = "daily_notification";

        for (var times = 0; times < 2; times++)
        {
            Assert.Equal(left, (int)(await Site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "/event", body))["event_pk"]!);
            Assert.Single(events.Fcm.To($"left-{user.Id}"));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_who_tell_the_same_at_once_tell_it_once(bool isTaken)
    {
        events.Set("2027-02-02T12:00:00Z");
        var user = await Site.UserAsync("Twice");
        var device = $"twice-{user.Id}";
        await Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = device });
        if (!isTaken)
        {
            events.Fcm.Answer(device, 404, "UNREGISTERED");
        }
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        events.Fcm.WaitFor(open.Task);
        var body = Of(user, Notification());
        body["event_type"] = "daily_notification";

        var first = Site.StatusAsync(AssistantsSite.Background, HttpMethod.Put, "/event", (JsonObject)body.DeepClone());
        await Patience.UntilAsync(() => events.Fcm.Asked == 1);
        var second = Site.StatusAsync(AssistantsSite.Background, HttpMethod.Put, "/event", (JsonObject)body.DeepClone());
        await Patience.UntilAsync(async () => events.Fcm.Asked == 2 || await Site.ValueAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") > 0);
        open.SetResult();

        var answer = isTaken ? "200 " : "500 The notification was sent to no device";
        Assert.Equal((answer, answer), (await first, await second));
        Assert.Equal(1, events.Fcm.Asked);
        Assert.Equal(isTaken ? 1 : 0, await Site.ValueAsync<long>("select count(*) from assistants.events where user_id = $1", user.Id));
        Assert.Equal(isTaken, await Site.ValueAsync<bool>("select is_valid from assistants.devices where fcm_token = $1", device));
    }

    [Fact]
    public async Task The_scheduler_is_told_what_is_configured_and_suggestions_are_reminded_of_once()
    {
        var user = await Site.UserAsync("Sue");
        await Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = $"sue-{user.Id}" });
        var suggestion = await Site.ValueAsync<int>("""
            insert into assistants.calendar_suggestions (user_id, suggestion_text, reminder_date, is_accepted)
              values ($1, 'Prepare', '2027-01-05T10:00:00Z', true)
            returning id
            """, user.Id);
        var range = new JsonObject { ["since_date"] = "2027-01-05T09:55:00Z", ["until_date"] = "2027-01-05T10:05:00" };

        Assert.True((bool)(await Site.OkAsync(AssistantsSite.Webapp, HttpMethod.Get, "/is_email_service_configured"))["is_configured"]!);
        Assert.True(
            (bool)(await Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Get, "/is_push_notif_service_configured"))["is_configured"]!);
        Assert.StartsWith("403", await Site.StatusAsync(AssistantsSite.Webapp, HttpMethod.Get, "/is_push_notif_service_configured"),
            StringComparison.Ordinal);
        for (var times = 0; times < 2; times++)
        {
            var answer = await Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/calendar_suggestion_notifications", range);
            Assert.Equal([suggestion], answer["calendar_suggestion_pks"]!.AsArray().Select(pk => (int)pk!));
            await Site.Host.RunJobsAsync();
        }
        Assert.Single(events.Fcm.To($"sue-{user.Id}"));
        Assert.Equal("400 Missing field 'datetime'", await StatusWithoutDatetimeAsync("/todo_daily_emails"));
        Assert.Equal("400 Invalid field 'offset'",
            await Site.StatusAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/todo_daily_emails", new() { ["offset"] = -1 }));
    }

    private async Task<string> StatusWithoutDatetimeAsync(string path)
    {
        var (status, body) = await Site.SendAsync(AssistantsSite.Scheduler, HttpMethod.Post, path, new JsonObject());
        return $"{status} {body?["error"]}";
    }

    private Task<string> TellAsync(Assisted user, JsonObject body) =>
        Site.StatusAsync(AssistantsSite.Background, HttpMethod.Put, "/event", Of(user, body));

    private static JsonObject Of(Assisted user, JsonObject body)
    {
        body["user_id"] ??= user.Id;
        if ((string?)body["message"]?["email"] == "x@example.org")
        {
            body["message"]!["email"] = $"{user.Id}@example.org";
        }
        return body;
    }

    private static JsonObject Notification() => new()
    {
        ["event_type"] = "task_tool_execution_notification", ["message"] = new JsonObject { ["title"] = "t", ["body"] = "b" },
        ["data"] = new JsonObject { ["user_task_execution_pk"] = 5, ["type"] = "chat" },
    };

    private static JsonObject Email(string type, string text) => new()
    {
        ["event_type"] = type, ["message"] = new JsonObject { ["subject"] = "s", ["body"] = text, ["email"] = "x@example.org" },
    };
}
