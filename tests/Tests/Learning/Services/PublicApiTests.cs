using System.Text.Json.Nodes;
using static Stoa.Tests.Learning.ServicesSite;

namespace Stoa.Tests.Learning.Services;

public sealed class PublicApiTests(SharedServicesSite shared) : IClassFixture<SharedServicesSite>
{
    private const string Keys = "/organizations/1/api_keys";

    private readonly ServicesSite site = shared.Site;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_shown_once_used_and_revoked()
    {
        var (status, made) = await site.AskAsync("POST", Keys, Admin, new { name = "warehouse" });
        var key = (string)made!["api_key"]!;
        var used = await HistoryAsync(key, SchoolId);
        var (_, list) = await site.AskAsync("GET", Keys, Owner);
        var row = list!.AsArray().Single(row => (int)row!["id"]! == (int)made["id"]!)!;
        var revoked = await site.StatusAsync("DELETE", $"{Keys}/{made["id"]}", Owner);

        Assert.Equal((200, 200, 200), (status, used.Status, revoked));
        Assert.Matches("^org__1__[A-Za-z0-9_-]{43}$", key);
        Assert.Equal(("warehouse", Admin), ((string?)row["name"], (int)row["created_by"]!));
        Assert.NotNull(row["last_used_at"]);
        Assert.DoesNotContain(key, list.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal((403, "Invalid API key"), await RefusalAsync(key, SchoolId));
        Assert.Equal(404, await site.StatusAsync("DELETE", $"{Keys}/{made["id"]}", Owner));
    }

    [Fact]
    public async Task Keys_are_made_by_those_who_run_the_school()
    {
        foreach (var user in (int[])[Mentor, Pupil, Elsewhere, Outsider])
        {
            Assert.Equal((403, 403, 403),
                (await site.StatusAsync("POST", Keys, user, new { }), await site.StatusAsync("GET", Keys, user),
                    await site.StatusAsync("DELETE", $"{Keys}/1", user)));
        }
        Assert.Equal(401, await site.StatusAsync("GET", Keys, null));
        Assert.Equal(404, await site.StatusAsync("GET", "/organizations/99/api_keys", Owner));
    }

    [Fact]
    public async Task A_key_opens_its_own_school_only()
    {
        var (_, made) = await site.AskAsync("POST", Keys, Owner, new { });
        var key = (string)made!["api_key"]!;

        Assert.Equal((403, "Invalid API key"), await RefusalAsync(key, Foreign));
        Assert.Equal((403, "Invalid API key"), await RefusalAsync(key.Replace("org__1__", "org__2__", StringComparison.Ordinal), Foreign));
        Assert.Equal((403, "Invalid API key"), await RefusalAsync($"{key[..^1]}{(key[^1] == 'A' ? 'B' : 'A')}", SchoolId));
        foreach (var nonsense in (string[])["org__1__", "org__x__y", "__", "nonsense", "org__1", new string('x', 5_000)])
        {
            Assert.Equal((403, "Invalid API key"), await RefusalAsync(nonsense, SchoolId));
        }
    }

    [Fact]
    public async Task A_request_without_a_key_misses_a_header()
    {
        using var answer = await site.Host.Client.GetAsync("/learning/public/chat_history?org_id=1", Ct);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["detail"]![0]!;

        Assert.Equal(
            (422, "missing", """["header","api-key"]"""), ((int)answer.StatusCode, (string?)error["type"], error["loc"]!.ToJsonString()));
    }

    [Fact]
    public async Task The_history_has_a_line_for_each_message_about_a_question()
    {
        await using var own = await StartAsync();
        await own.RunAsync("""
            insert into learning.courses (org_id, name) values (1, 'Course B');
            insert into learning.course_tasks (task_id, course_id, ordering) values (2, 2, 0);
            insert into learning.chat_history (user_id, question_id, task_id, role, content, response_type, created_at) values
              (4, 1, null, 'user', E'forty\ntwo', 'text', '2026-11-20 09:41:06.25+00'),
                (4, 1, null, 'assistant', null, null, '2026-11-20 09:41:07+00'),
              (4, null, 3, 'user', 'an assignment', 'text', '2026-11-20 09:42:00+00');
            insert into learning.chat_history (user_id, question_id, role, content, created_at, deleted_at)
              values (4, 1, 'user', 'taken back', now(), now());
            """);
        var (_, made) = await own.AskAsync("POST", Keys, Owner, new { });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/learning/public/chat_history?org_id=1");
        request.Headers.Add("api-key", (string)made!["api_key"]!);
        using var answer = await own.Host.Client.SendAsync(request, Ct);
        var lines = (await answer.Content.ReadAsStringAsync(Ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment; filename=chat_history.jsonl", answer.Content.Headers.ContentDisposition!.ToString());
        Assert.Equal(4, lines.Length);
        Assert.Equal(
            """{"id":1,"created_at":"2026-11-20 09:41:06","user_id":4,"user_email":"learner@ex.org","question_id":1,"task_id":2,"role":"user","content":"forty\ntwo","response_type":"text","course_id":1}""",
            lines[0]);
        Assert.Equal([1, 2, 1, 2], lines.Select(line => (int)JsonNode.Parse(line)!["course_id"]!));
    }

    [Fact]
    public async Task A_course_is_read_as_it_is_published_with_what_is_in_its_tasks()
    {
        var (_, made) = await site.AskAsync("POST", Keys, Owner, new { });
        var key = (string)made!["api_key"]!;

        var (status, course) = await CourseAsync(key, Course);
        var (missing, none) = await CourseAsync(key, 99);
        await site.RunAsync(
            "insert into learning.courses (id, org_id, name) overriding system value values (500, 2, 'Foreign') on conflict do nothing");
        var (foreign, refused) = await CourseAsync(key, 500);

        Assert.True(status == 200, course?.ToJsonString());
        var tasks = course!["milestones"]![0]!["tasks"]!.AsArray();
        Assert.Equal(("Course A", 3), ((string?)course["name"], tasks.Count));
        Assert.Equal("b1", (string?)tasks[0]!["blocks"]![0]!["id"]);
        Assert.Equal(("What is 41 + 1?", "a1"),
            ((string?)tasks[1]!["questions"]![0]!["title"], (string?)tasks[1]!["questions"]![0]!["answer"]![0]!["id"]));
        Assert.Null(tasks[2]!["questions"]);
        Assert.Equal((404, "Course not found"), (missing, (string?)none!["detail"]));
        Assert.Equal((403, "Invalid API key"), (foreign, (string?)refused!["detail"]));
    }

    [Fact]
    public async Task On_a_host_of_its_own_the_routes_are_at_the_root()
    {
        await using var own = await StartAsync(new() { ["Learning:PublicApi:Host"] = "data.school.example" });
        var (_, made) = await own.AskAsync("POST", Keys, Owner, new { });

        Assert.Equal((200, 404), (await AtRootAsync("data.school.example"), await AtRootAsync(own.Host.Client.BaseAddress!.Authority)));

        async Task<int> AtRootAsync(string host)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/chat_history?org_id=1") { Headers = { Host = host } };
            request.Headers.Add("api-key", (string)made!["api_key"]!);
            using var answer = await own.Host.Client.SendAsync(request, Ct);
            return (int)answer.StatusCode;
        }
    }

    private async Task<(int Status, string Text)> HistoryAsync(string key, int orgId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/learning/public/chat_history?org_id={orgId}");
        request.Headers.Add("api-key", key);
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private async Task<(int Status, JsonNode? Body)> CourseAsync(string key, int id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/learning/public/course/{id}");
        request.Headers.Add("api-key", key);
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct)));
    }

    private async Task<(int, string?)> RefusalAsync(string key, int orgId)
    {
        var (status, text) = await HistoryAsync(key, orgId);
        return (status, (string?)JsonNode.Parse(text)!["detail"]);
    }
}
