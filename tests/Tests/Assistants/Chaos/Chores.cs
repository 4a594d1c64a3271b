using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Assistants.Documents.Chunking;
using Stoa.Assistants.Documents.Reading;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Tests.Assistants.Chaos;

/// <summary>A kind of work: how it is asked for, which jobs come of it, and what is to be found when it has happened once.</summary>
/// <param name="Jobs">Which of <c>platform.finished_jobs j</c> are its; <c>$1</c> is its number.</param>
/// <param name="JobCount">How many these are.</param>
/// <param name="Effects">Counts what it leaves behind. Before it has happened, all are zero.</param>
internal sealed record ChoreKind(
    string Name, Func<int, HttpRequestMessage> Ask, string Jobs, int JobCount, string Effects, IReadOnlyList<long> Expected)
{
    /// <summary>What has to be done before it is asked for.</summary>
    public string? Before { get; init; }

    /// <summary>Whoever was not answered may ask again, as the wire promises.</summary>
    public bool MayBeAskedAgain { get; init; }

    /// <summary>Whom the mail server or the push service has something for.</summary>
    public Func<int, string>? Receiver { get; init; }
}

/// <summary>One piece of work of a kind.</summary>
internal sealed record Chore(ChoreKind Kind, int Number);

/// <summary>The kinds of work that the host does meanwhile. The number of a chore names its session, user, page and mailbox.</summary>
internal static class Chores
{
    public const string TokenSecret = "what signs the tokens of users in the chaos";

    private const string Now = "2026-11-22T08:00:00Z";

    private static readonly string Words =
        string.Join(' ', Enumerable.Range(0, 250).Select(number => string.Create(CultureInfo.InvariantCulture, $"word{number}")));

    private static readonly int TextChunkCount = TextChunks.Of(TextCleaning.Clean(Words)).Count;

    /// <param name="website">Where the pages are.</param>
    public static async Task<ChoreKind[]> AllAsync(string website)
    {
        var pages = new List<HtmlPage>();
        foreach (var (path, html) in Pages(1))
        {
            pages.Add(await HtmlPage.ParseAsync(html, new($"{website}{path}"), "StoaBot", TimeProvider.System, CancellationToken.None));
        }
        var pageChunks = pages.Sum(page => TextChunks.Of(page.Readable.Text).Count);
        return
        [
            new(
                "name a conversation",
                n => Background("first_session_message", new() { ["session_id"] = $"s{n}", ["sender"] = "user", ["message"] = "Hello" }),
                "j.kind = 'assistants.name_session' and j.args ->> 'session_id' = 's' || $1", 1,
                "(select count(*) from assistants.live_events where session_id = 's' || $1 and name = 'session_title')", [1]),
            new(
                "title and summary", n => Background("user_task_execution_title_and_summary", new() { ["user_task_execution_pk"] = n }),
                "j.kind = 'assistants.title_and_summary' and j.args ->> 'execution_id' = $1", 1,
                "(select count(*) from assistants.live_events where session_id = 's' || $1 and name = 'user_task_execution_title')", [1]),
            new(
                "reschedule a to-do", n => Background("reschedule_todo", new() { ["todo_pk"] = n }),
                "j.kind = 'assistants.reschedule_todo' and j.args ->> 'todo_id' = $1", 1,
                "(select count(*) - 1 from assistants.todo_schedulings where todo_id = $1::integer)", [1]),
            new(
                "extract to-dos", n => Background("extract_todos", new() { ["user_task_execution_pk"] = n }),
                "j.kind = 'assistants.extract_todos' and j.args ->> 'execution_id' = $1", 1,
                """
                (select count(*) from assistants.todos where task_execution_id = $1::integer),
                (select count(*) from assistants.todo_schedulings s
                  join assistants.todos t on t.id = s.todo_id where t.task_execution_id = $1::integer),
                (select count(*) from assistants.task_executions where id = $1::integer and todos_extracted_at is not null)
                """, [2, 2, 1]),
            new(
                "answer a message", n => User(HttpMethod.Put, "user_message", n, new()
                {
                    ["session_id"] = $"s{n}", ["message_id"] = $"said {n}", ["message_date"] = Now, ["text"] = "Hello", ["version"] = "1",
                }),
                "j.kind in ('assistants.answer_messages', 'assistants.name_session') and j.args ->> 'session_id' = 's' || $1", 2,
                """
                (select count(*) from assistants.messages where session_id = 's' || $1 and sender = 'user'),
                (select count(*) from assistants.messages where session_id = 's' || $1 and sender = 'mojo'),
                (select count(*) from assistants.live_events where session_id = 's' || $1 and name = 'session_title')
                """, [1, 1, 1]) { MayBeAskedAgain = true },
            new(
                "embed a text", n => User(HttpMethod.Put, "resource", n, new() { ["name"] = $"text {n}", ["text"] = Words }),
                "j.kind = 'assistants.embed_document' and j.args ->> 'document_id' = (select id::text from assistants.documents where name = 'text ' || $1)", 1,
                ChunkCounts("d.name = 'text ' || $1"), [1, TextChunkCount, TextChunkCount, TextChunkCount]),
            new(
                "read a website",
                n => Background("create_document_from_website", new() { ["website_url"] = $"{website}/site{n}/", ["user_id"] = UserOf(n) }),
                "j.kind = 'assistants.read_website' and j.args ->> 'website_id' = (select id::text from assistants.websites where url like '%/site' || $1 || '/')", 1,
                $"""
                {ChunkCounts("d.name like '%/site' || $1 || '/%'")},
                (select count(*) from assistants.website_pages where url like '%/site' || $1 || '/%' and state = 'read'),
                (select count(*) from assistants.websites where url like '%/site' || $1 || '/' and not is_running and finished_at is not null)
                """, [pages.Count, pageChunks, pageChunks, pageChunks, pages.Count, 1]),
            new(
                "mail what is given", n => Service(HttpMethod.Put, "event", new()
                {
                    ["user_id"] = UserOf(n), ["event_type"] = "news_email",
                    ["message"] = new JsonObject { ["subject"] = $"News {n}",
                        ["body"] = "<p>There are some.</p>", ["email"] = $"news{n}@example.org" },
                }),
                "j.kind = 'assistants.deliver_event' and j.args ->> 'event_id' = (select id::text from assistants.events where message ->> 'subject' = 'News ' || $1)", 1,
                EventCounts("message ->> 'subject' = 'News ' || $1"), [1, 1]) { Receiver = n => $"news{n}@example.org" },
            new(
                "write the morning mail", n => Background("events_generation", new()
                {
                    ["event_type"] = "todo_daily_emails",
                    ["data"] = new JsonArray(new JsonObject
                    {
                        ["user_id"] = $"m{n}", ["today_todo_list"] = new JsonArray(new JsonObject { ["description"] = "Call Bob" }),
                    }),
                }),
                ToldJobs("assistants.todo_daily_email", "m"), 2, EventCounts("user_id = 'm' || $1"), [1, 1])
            {
                Receiver = n => $"m{n}@example.org", MayBeAskedAgain = true,
            },
            new(
                "notify at a local hour", _ => Operator("/api/stoa/jobs/schedules/assistants.local_hours/run"),
                ToldJobs("assistants.daily_notification", "p"), 2, EventCounts("user_id = 'p' || $1"), [1, 1])
            {
                // His hour comes; also once more, should nobody know whether it was seen.
                Before = "update assistants.user_schedules set next_due_at = now() where user_id = 'p' || $1",
                MayBeAskedAgain = true, Receiver = n => $"device {n}",
            },
        ];
    }

    /// <summary>The base page of a website and what it leads to.</summary>
    public static IEnumerable<(string Path, string Html)> Pages(int number)
    {
        foreach (var name in (string[])["", "one", "two"])
        {
            yield return ($"/site{number.ToString(CultureInfo.InvariantCulture)}/{name}", $"""
                <html lang="en"><head><title>Page {name}</title></head><body><main><h1>Page {name}</h1><p>{Words}</p>
                <p><a href="one">This way</a> and <a href="two">that way</a> to the others.</p></main></body></html>
                """);
        }
    }

    public static string UserOf(int number) => $"u{(number % 20).ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Documents, chunks, those of them that have a vector, and places of theirs that are taken without a gap.</summary>
    private static string ChunkCounts(string documents)
    {
        var chunks =
            $"from assistants.document_chunks c join assistants.documents d on d.id = c.document_id where {documents} and c.deleted_at is null";
        return $"""
            (select count(*) from assistants.documents d where {documents}), (select count(*) {chunks}),
            (select count(*) {chunks} and c.embedding is not null and c.signature is not null and c.embedded_at is not null),
            (select count(*) from (select distinct d.id, c.index {chunks} and c.index < (
              select count(*) from assistants.document_chunks other where other.document_id = d.id and other.deleted_at is null)) places)
            """;
    }

    private static string EventCounts(string events) => $"""
        (select count(*) from assistants.events where {events}),
          (select count(*) from assistants.events where {events} and delivered_at is not null)
        """;

    /// <summary>Who writes it, and who tells it.</summary>
    private static string ToldJobs(string kind, string user) => $"""
        (j.kind = '{kind}' and j.args ->> 'user_id' = '{user}' || $1)
        or (j.kind = 'assistants.deliver_event'
          and j.args ->> 'event_id' = (select id::text from assistants.events where user_id = '{user}' || $1))
        """;

    private static HttpRequestMessage Background(string path, JsonObject body) =>
        Request(HttpMethod.Post, $"/background/{path}", null, body);

    private static HttpRequestMessage User(HttpMethod method, string path, int number, JsonObject body)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject { ["iat"] = now, ["exp"] = now + 36_000, ["sub"] = $"{UserOf(number)}__mojodex__chaos" };
        return Request(method, $"/assistants/{path}", Jwt.Create(claims, SigningKey.Hmac(SigningAlgorithm.HS256, TokenSecret)), body);
    }

    private static HttpRequestMessage Service(HttpMethod method, string path, JsonObject body) =>
        Request(method, $"/assistants/{path}", AssistantsSite.Background, body);

    private static HttpRequestMessage Operator(string path) => Request(HttpMethod.Post, path, "Bearer stoa-dev", []);

    private static HttpRequestMessage Request(HttpMethod method, string path, string? authorization, JsonObject body)
    {
        body["datetime"] = Now;
        var request =
            new HttpRequestMessage(method, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }
        return request;
    }
}
