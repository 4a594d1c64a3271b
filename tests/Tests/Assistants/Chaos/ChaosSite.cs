using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using Stoa.Tests.Assistants.Documents;
using Stoa.Tests.Assistants.Events;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Chaos;

/// <summary>
/// The world around a host that is killed: a model, a mail server, a push service and websites, and users in its database.
/// </summary>
internal sealed class ChaosSite : IAsyncDisposable
{
    private readonly ScriptedProvider provider;
    private readonly LoopbackFcm fcm;
    private readonly FakeWebsite website;
    private readonly LoopbackSmtp smtp = new();

    private ChaosSite(ScriptedProvider provider, LoopbackFcm fcm, FakeWebsite website) =>
        (this.provider, this.fcm, this.website) = (provider, fcm, website);

    public string Website => website.Address;

    public int Questions => provider.Requests.Count;

    public static async Task<ChaosSite> StartAsync(int chores)
    {
        var site = new ChaosSite(
            await ScriptedProvider.StartAsync(), await LoopbackFcm.StartAsync(TimeProvider.System), await FakeWebsite.StartAsync());
        // Slow enough that a kill meets something at work.
        site.provider.Answering = request => Answer(request).Delay(TimeSpan.FromMilliseconds(30));
        foreach (var (path, html) in Enumerable.Range(1, chores).SelectMany(Chores.Pages))
        {
            site.website.Page(path, html);
        }
        return site;
    }

    public Dictionary<string, string?> SettingsFor(string database) =>
        new(
        [
            .. ThinkingSite.SettingsOf(provider).Concat(EventsSite.MailSettings(smtp)).Concat(fcm.Settings)
                .Where(setting => setting.Key != "Assistants:Events:IsScheduled")
                .Concat(
                [
                    ("ConnectionStrings:Stoa", database), ("Assistants:Auth:BackgroundSecret", AssistantsSite.Background),
                    ("Assistants:Auth:TokenSecret", Chores.TokenSecret),
                    ("Assistants:EmbeddingModel", "demo/demo"), ("Egress:Allow", "127.0.0.1"),
                    ("Assistants:Documents:DelayMs", "0"), ("Assistants:Events:NotificationHour", "8"),
                    // Whoever takes over what a dead host was at need not wait long; one that is slow must not be taken for dead.
                    ("Jobs:LeaseSeconds", "15"),
                ])
                .Select(setting => KeyValuePair.Create(setting.Item1.Replace(":", "__", StringComparison.Ordinal), (string?)setting.Item2)),
        ], StringComparer.Ordinal);

    /// <summary>
    /// What was told to a mailbox or a device: of each mail its id, of each notification the tag that has a second one replace the first.
    /// </summary>
    public IReadOnlyList<string> TellsOf(string receiver) => receiver.Contains('@', StringComparison.Ordinal)
        ? [.. smtp.To(receiver).Select(mail => mail.Header("Message-ID")!)]
        : [.. fcm.To(receiver).Select(message => (string)message["android"]!["notification"]!["tag"]!)];

    /// <summary>
    /// Twenty users who know no clock, so no schedule is about their work; and for each mail and notification one of its own, for whom it
    /// is noon.
    /// </summary>
    public static async Task SeedAsync(NpgsqlDataSource source, int chores)
    {
        await using var command = source.CreateCommand("""
            insert into assistants.tasks (type, name_for_system, definition_for_system) values ('instruct', 'chaos', 'Chaos')
              on conflict do nothing;
            insert into assistants.users (id, organization_id, name, email, terms_accepted_at, timezone_offset)
              select name, (select id from platform.organizations order by id limit 1), 'Ada', name || '@example.org', now(),
                case when name like 'p%' then $OFFSET end
              from (
                select 'u' || n as name from generate_series(0, 19) n
                union all select 'm' || n
                  from generate_series(1, $CHORES) n union all select 'p' || n from generate_series(1, $CHORES) n) names;
            update assistants.users set scheduled_zone = zone;
            insert into assistants.user_schedules (user_id, task, next_due_at)
              select 'p' || n, 'daily_notification', now() + interval '1 day' from generate_series(1, $CHORES) n;
            insert into assistants.devices (user_id, fcm_token) select 'p' || n, 'device ' || n from generate_series(1, $CHORES) n;
            insert into assistants.user_tasks (user_id, task_id) select u.id, t.id from assistants.users u, assistants.tasks t
              where t.name_for_system = 'chaos';
            insert into assistants.sessions (id, user_id, starting_mode) select 's' || n, 'u' || n % 20, 'chat'
              from generate_series(1, $CHORES) n;
            insert into assistants.messages (session_id, sender, message)
              select 's' || n, 'user', jsonb_build_object('text', 'I will do one and two') from generate_series(1, $CHORES) n
                where n % 10 in (1, 3);
            insert into assistants.task_executions (id, user_task_id, user_id, session_id) overriding system value
              select n, ut.id, ut.user_id, 's' || n from generate_series(1, $CHORES) n
              join assistants.user_tasks ut on ut.user_id = 'u' || n % 20
              where n % 10 in (1, 3);
            insert into assistants.todos (id, user_id, description, content_key, scheduled_date) overriding system value
              select n, 'u' || n % 20, 'Overdue', 'k', current_date - 2 from generate_series(1, $CHORES) n where n % 10 = 2;
            alter table assistants.todos alter column id restart with 1000000;
            insert into assistants.todo_schedulings (todo_id, scheduled_date) select id, scheduled_date from assistants.todos;
            insert into assistants.todos (user_id, description, content_key, scheduled_date)
              select 'p' || n, 'Call Bob', 'k', current_date + 1 from generate_series(1, $CHORES) n;
            """
            .Replace("$CHORES", Text(chores), StringComparison.Ordinal)
            .Replace("$OFFSET", Text((TimeProvider.System.GetUtcNow().Hour - 12) * 60), StringComparison.Ordinal));
        await command.ExecuteNonQueryAsync();
    }

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        await smtp.DisposeAsync();
        await website.DisposeAsync();
        await fcm.DisposeAsync();
        await provider.DisposeAsync();
    }

    private static ScriptedAnswer Answer(ScriptedRequest request)
    {
        var instructions = (string)request.Json!["messages"]![0]!["content"]!;
        return IsFor("Name the conversation") ? ScriptedAnswer.Text("<title>Named</title>")
            : IsFor("The summary has at most 3 sentences") ? ScriptedAnswer.Text("<title>Titled</title><summary>Told.</summary>")
            : IsFor("reschedule_date") ? ThinkingSite.Decision("Later", "in 3 days")
            : IsFor("Find the next steps") ? ThinkingSite.Todos(("One", "yes", "tomorrow"), ("Two", "yes", "in 2 days"))
            : IsFor("Write the mail") ? ScriptedAnswer.Json(new JsonObject { ["subject"] = "Your day", ["body"] = "<p>Call Bob</p>" })
            : IsFor("Write the notification") ? ScriptedAnswer.Json(new JsonObject { ["title"] = "To-dos", ["message"] = "There is one" })
            : ScriptedAnswer.Text("Hello yourself");

        bool IsFor(string words) => instructions.Contains(words, StringComparison.Ordinal);
    }
}
