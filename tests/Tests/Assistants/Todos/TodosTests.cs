using System.Text;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Assistants.Todos;

/// <summary>The routes of to-dos, of the background in both layouts, and of what is written back, in the words of the wire.</summary>
public sealed class TodosTests(TodosTests.Fixture fixture) : IClassFixture<TodosTests.Fixture>
{
    private readonly AssistantsSite site = fixture.Site;

    private static readonly DateOnly Today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);

    [Fact]
    public async Task A_user_sees_reads_does_and_deletes_his_todos_and_nobody_elses()
    {
        var ada = await site.UserAsync("Ada");
        var bob = await site.UserAsync("Bob");
        var execution = await site.ExecutionAsync(ada, ["Hello"]);
        Assert.Equal((true, 0, ""), Seen(await site.OkAsync(ada.Token, HttpMethod.Get, "/todos")));
        var call = await WriteAsync(ada, "Call", 3);
        var write = await WriteAsync(ada, "Write", 1, execution.Execution);
        var send = await WriteAsync(ada, "Send", 2, execution.Execution);

        Assert.Equal((false, 3, "Write Send Call"), Seen(await site.OkAsync(ada.Token, HttpMethod.Get, "/todos")));
        Assert.Equal((false, 3, "Send"), Seen(await site.OkAsync(ada.Token, HttpMethod.Get, "/todos?n_todos=1&offset=1")));
        Assert.Equal((true, 0, ""), Seen(await site.OkAsync(bob.Token, HttpMethod.Get, "/todos")));
        Assert.Equal(
            "404 user_task_execution_pk not found",
            await site.StatusAsync(bob.Token, HttpMethod.Get, $"/todos?user_task_execution_fk={execution.Execution}"));

        Assert.Equal("404 Todo not found",
            await site.StatusAsync(bob.Token, HttpMethod.Post, "/todos", new() { ["todo_pk"] = send, ["mark_as_done"] = true }));
        Assert.Equal("404 Todo not found",
            await site.StatusAsync(bob.Token, HttpMethod.Post, "/todos", new() { ["todo_pk"] = send, ["mark_as_read"] = true }));
        Assert.Equal("404 Todo not found", await site.StatusAsync(bob.Token, HttpMethod.Delete, $"/todos?todo_pk={send}"));
        Assert.Equal($$"""{"todo_pk":{{send}}}""",
            Json(await site.OkAsync(ada.Token, HttpMethod.Post, "/todos", new() { ["todo_pk"] = send, ["mark_as_done"] = true })));
        Assert.Equal(
            "400 Todo already done, can't do it again.",
            await site.StatusAsync(ada.Token, HttpMethod.Post, "/todos", new() { ["todo_pk"] = send, ["mark_as_done"] = true }));
        Assert.Equal((false, 2, "Write Call"), Seen(await site.OkAsync(ada.Token, HttpMethod.Get, "/todos")));
        Assert.Equal((false, 2, "Write Send"),
            Seen(await site.OkAsync(ada.Token, HttpMethod.Get, $"/todos?user_task_execution_fk={execution.Execution}")));

        Assert.Equal(
            $$"""{"user_task_execution_pk":{{execution.Execution}}}""",
            Json(await site.OkAsync(ada.Token, HttpMethod.Post, "/todos",
                new() { ["user_task_execution_pk"] = execution.Execution, ["mark_as_read"] = true })));
        Assert.Equal((false, 1, "Write Call"), Seen(await site.OkAsync(ada.Token, HttpMethod.Get, "/todos")));
        Assert.Equal($$"""{"todo_pks":[{{call}}]}""",
            Json(await site.OkAsync(ada.Token, HttpMethod.Post, "/todos", new() { ["mark_as_read"] = true })));
        Assert.Equal($$"""{"todo_pk":"{{write}}"}""", Json(await site.OkAsync(ada.Token, HttpMethod.Delete, $"/todos?todo_pk={write}")));
        Assert.Equal((false, 0, "Call"), Seen(await site.OkAsync(ada.Token, HttpMethod.Get, "/todos")));
        Assert.Equal("404 Todo not found", await site.StatusAsync(ada.Token, HttpMethod.Delete, $"/todos?todo_pk={write}"));
    }

    [Fact]
    public async Task What_the_assistant_took_off_is_listed_and_counted_nowhere()
    {
        var user = await site.UserAsync("Ada");
        var execution = await site.ExecutionAsync(user, ["Hello"]);
        var kept = await WriteAsync(user, "Kept", 1, execution.Execution);
        var gone = await WriteAsync(user, "Gone", 1, execution.Execution);
        await site.OkAsync(
            AssistantsSite.Background, HttpMethod.Put, "/todos_scheduling", new() { ["todo_fk"] = gone, ["argument"] = "It is done" });

        Assert.Equal((false, 1, "Kept"), Seen(await site.OkAsync(user.Token, HttpMethod.Get, "/todos")));
        Assert.Equal((false, 1, "Kept"),
            Seen(await site.OkAsync(user.Token, HttpMethod.Get, $"/todos?user_task_execution_fk={execution.Execution}")));
        var view = await site.OkAsync(user.Token, HttpMethod.Get, $"/user_task_execution?user_task_execution_pk={execution.Execution}");
        Assert.Equal((1, 1), ((int)view["n_todos"]!, (int)view["n_not_read_todos"]!));
        Assert.NotEqual(kept, gone);
    }

    [Theory]
    [InlineData("""{"mark_as_read":true,"mark_as_done":true}""", "400 Exactly one of mark_as_read and mark_as_done must be true")]
    [InlineData("{}", "400 Exactly one of mark_as_read and mark_as_done must be true")]
    [InlineData("""{"mark_as_done":true}""", "400 Missing field todo_pk")]
    [InlineData("""{"mark_as_done":"maybe","todo_pk":1}""", "400 Invalid field 'mark_as_done'")]
    [InlineData("""{"mark_as_done":true,"todo_pk":[]}""", "400 Invalid field 'todo_pk'")]
    public async Task What_cannot_be_marked_is_refused(string body, string refusal) => Assert.Equal(
        refusal, await site.StatusAsync((await site.UserAsync()).Token, HttpMethod.Post, "/todos", JsonNode.Parse(body)!.AsObject()));

    [Theory]
    [InlineData("""{"due_date":"2099-01-01"}""", "400 Missing field 'description'")]
    [InlineData("""{"description":" ","due_date":"2027-01-01"}""", "400 Invalid field 'description'")]
    [InlineData("""{"description":"x"}""", "400 Missing field 'due_date'")]
    [InlineData("""{"description":"x","due_date":null}""", "400 Invalid field 'due_date'")]
    [InlineData("""{"description":"x","due_date":"31/12/2027"}""", "400 Invalid due_date 31/12/2027")]
    [InlineData("""{"description":"x","due_date":7}""", "400 Invalid due_date 7")]
    [InlineData("""{"description":"x","due_date":"\ud800"}""", "400 Invalid due_date ")]
    [InlineData("""{"description":"x","due_date":{"a":[1]}}""", """400 Invalid due_date {"a":[1]}""")]
    [InlineData("""{"description":"x","due_date":"9999-12-31"}""", "400 Invalid due_date 9999-12-31")]
    [InlineData(
        """{"description":"x","due_date":"2027-01-01","user_task_execution_fk":2147483647}""", "404 user_task_execution_pk not found")]
    [InlineData("""{"description":"x\u0000","due_date":"2027-01-01"}""", "400 Invalid field 'description'")]
    public async Task What_cannot_be_written_by_hand_is_refused(string body, string refusal)
    {
        var (status, answer) = await site.SendAsync(
            (await site.UserAsync()).Token, HttpMethod.Post, "/todos/manual", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.Equal(refusal, $"{status} {answer?["error"]}");
    }

    [Fact]
    public async Task What_is_written_back_twice_is_there_once()
    {
        var user = await site.UserAsync();
        var execution = await site.ExecutionAsync(user, ["Hello"]);
        JsonObject todo = new() { ["description"] = "Call", ["due_date"] = "2001-01-01", ["user_task_execution_fk"] = execution.Execution };

        var first = await site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "/todos", todo);
        var second = await site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "///todos", todo);
        var marked = await site.OkAsync(
            AssistantsSite.Background, HttpMethod.Put, "/extract_todos", new() { ["user_task_execution_fk"] = execution.Execution });
        var pk = (int)first["todo_pk"]!;
        var moved = await site.OkAsync(
            AssistantsSite.Background, HttpMethod.Put, "/todos_scheduling",
            new() { ["todo_fk"] = pk, ["argument"] = "Later", ["reschedule_date"] = Day(5) });
        var listed = await site.OkAsync(user.Token, HttpMethod.Get, $"/todos?user_task_execution_fk={execution.Execution}");
        var deleted = await site.OkAsync(
            AssistantsSite.Background, HttpMethod.Put, "/todos_scheduling", new() { ["todo_fk"] = pk, ["argument"] = "Never" });

        Assert.Equal(Json(first), Json(second));
        Assert.Equal($$"""{"user_task_execution_pk":{{execution.Execution}}}""", Json(marked));
        Assert.NotNull((int?)moved["todo_scheduling_pk"]);
        Assert.Equal(Day(5), (string?)listed["todos"]![0]!["scheduled_date"]);
        Assert.Equal($$"""{"todo_pk":{{pk}}}""", Json(deleted));
        Assert.Empty(
            (await site.OkAsync(user.Token, HttpMethod.Get, $"/todos?user_task_execution_fk={execution.Execution}"))["todos"]!.AsArray());
        Assert.Equal(
            $"404 Todo {pk} not found",
            await site.StatusAsync(AssistantsSite.Background, HttpMethod.Put, "/todos_scheduling",
                new() { ["todo_fk"] = pk, ["argument"] = "x", ["reschedule_date"] = Day(6) }));
    }

    [Theory]
    [InlineData("PUT", "/todos", """{"description":"x","due_date":"2027-01-01","user_task_execution_fk":2147483647}""",
        "400 Invalid user_task_execution_fk 2147483647")]
    [InlineData(
        "PUT", "/todos", """{"description":"x","due_date":"tomorrow","user_task_execution_fk":1}""", "400 Invalid due_date tomorrow")]
    [InlineData("PUT", "/extract_todos", """{"user_task_execution_fk":2147483647}""", "404 user_task_execution not found")]
    [InlineData("PUT", "/extract_todos", "{}", "400 Missing key in body : 'user_task_execution_fk'")]
    [InlineData("PUT", "/todos_scheduling", """{"todo_fk":2147483647,"argument":"x"}""", "404 Todo 2147483647 not found")]
    [InlineData("PUT", "/todos_scheduling", """{"todo_fk":1}""", "400 Missing field 'argument'")]
    [InlineData("POST", "/user_task_execution_summary", """{"title":"t","summary":"s","user_task_execution_pk":2147483647}""",
        "400 Invalid user_task_execution_pk: 2147483647")]
    [InlineData("POST", "/background/user_task_execution_title_and_summary", "{}", "400 invalid inputs")]
    [InlineData("POST", "/background/user_task_execution_title_and_summary",
        """{"user_task_execution_pk":2147483647}""", "404 user_task_execution not found")]
    [InlineData("POST", "/background/extract_todos", """{"user_task_execution_pk":2147483647}""", "404 user_task_execution not found")]
    [InlineData("POST", "/background/extract_todos", """{"user_task_execution_pk":null}""", "400 invalid inputs")]
    [InlineData("POST", "/background/reschedule_todo", """{"todo_pk":2147483647}""", "404 todo not found")]
    [InlineData("POST", "/background/reschedule_todo", """{"todo_pk":"x"}""", "400 invalid inputs")]
    [InlineData(
        "POST", "/background/first_session_message", """{"session_id":"none","sender":"user","message":"hi"}""", "404 session not found")]
    [InlineData("POST", "/background/task_tool_execution", """{"task_tool_execution_pk":1}""", "404 task_tool_execution not found")]
    public async Task What_is_not_there_is_said_in_the_words_of_the_wire(string method, string path, string body, string refusal) =>
        Assert.Equal(
        refusal, await site.StatusAsync(AssistantsSite.Background, new(method), path, JsonNode.Parse(body)!.AsObject()));

    [Fact]
    public async Task Layouts_are_told_apart_by_the_body_and_a_day_that_cannot_be_moves_nothing()
    {
        var user = await site.UserAsync("Ada", "UTC");
        var execution = await site.ExecutionAsync(user, ["Hello"], "Minutes", quietFor: TimeSpan.FromMinutes(9));
        var todo = (int)(await site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "/todos", new()
        {
            ["description"] = "Call", ["due_date"] = Day(1), ["user_task_execution_fk"] = execution.Execution,
        }))["todo_pk"]!;

        Assert.Equal("""{"success":"Process started"}""",
            Json(await site.OkAsync(authorization: null, HttpMethod.Post, "/background/reschedule_todo", new() { ["todo_pk"] = todo })));
        Assert.Empty((await site.OkAsync(authorization: null, HttpMethod.Post, "/background//reschedule_todo"))["todo_pks"]!.AsArray());
        Assert.DoesNotContain(
            execution.Execution,
            (await site.OkAsync(authorization: null, HttpMethod.Post, "/background/extract_todos"))["user_task_execution_pks"]!.AsArray()
            .Select(pk => (int)pk!));
        Assert.Equal(
            "403 Authentication error : Wrong secret", await site.StatusAsync("wrong", HttpMethod.Post, "/background/extract_todos"));
        Assert.Equal(
            "403 Authentication error : Wrong secret", await site.StatusAsync(AssistantsSite.Scheduler, HttpMethod.Put, "/todos", []));
        // Also when midnight passes meanwhile.
        foreach (var day in (string[])[Day(0), Day(-1), Day(182)])
        {
            Assert.Equal(
                $"400 Invalid reschedule_date {day}",
                await site.StatusAsync(AssistantsSite.Background, HttpMethod.Put, "/todos_scheduling",
                    new() { ["todo_fk"] = todo, ["argument"] = "x", ["reschedule_date"] = day }));
        }
        await site.Host.RunJobsAsync();
        Assert.Equal(1, await site.ValueAsync<long>("select count(*) from assistants.todo_schedulings where todo_id = $1", todo));
    }

    private async Task<int> WriteAsync(Assisted user, string what, int days, int? execution = null) => (int)(await site.OkAsync(
        user.Token, HttpMethod.Post, "/todos/manual",
        new() { ["description"] = what, ["due_date"] = Day(days), ["user_task_execution_fk"] = execution }))["todo_pk"]!;

    private static (bool, int, string) Seen(JsonNode page) => (
        (bool)page["user_has_never_done_todo"]!, (int)page["n_todos_not_read"]!,
        string.Join(' ', page["todos"]!.AsArray().Select(todo => (string?)todo!["description"])));

    private static string Day(int days) => Today.AddDays(days).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private static string Json(JsonNode node) => node.ToJsonString();

    public sealed class Fixture : IAsyncLifetime
    {
        internal AssistantsSite Site { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Site = await AssistantsSite.StartAsync();

        public ValueTask DisposeAsync() => Site.DisposeAsync();
    }
}
