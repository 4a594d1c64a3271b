using System.Text.Json.Nodes;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Assistants.Work;

/// <summary>
/// Each route asked by who may, by another user, with a wrong secret, and with nothing; and with bodies that nobody should send.
/// </summary>
public sealed class AccessTests(WorkSite work) : IClassFixture<WorkSite>
{
    private static readonly (string Route, string Body)[] OfUsers =
    [
        ("PUT /terms_and_conditions", "{}"), ("POST /timezone", """{"timezone_offset":-120}"""),
        ("POST /language", """{"language_code":"fr"}"""),
        ("GET /language?language_code=de", ""), ("PUT /goal", """{"goal":"more"}"""),
        ("POST /company", "{}"), ("PUT /company", """{"website_url":"x"}"""),
        ("GET /user_task", ""), ("PUT /user_task_execution", """{"user_task_pk":1}"""), ("GET /user_task_execution", ""),
        ("DELETE /user_task_execution?user_task_execution_pk=1", ""),
        ("POST /user_task_execution_run", """{"user_task_execution_pk":1,"inputs":[]}"""),
        ("POST /user_task_execution_title", """{"user_task_execution_pk":1,"title":"t"}"""),
        ("GET /user_task_execution_produced_text?user_task_execution_pk=1&produced_text_version_index=1", ""),
        ("PUT /session", """{"platform":"webapp"}"""), ("GET /session", ""), ("POST /session", """{"session_id":"s","title":"t"}"""),
        ("DELETE /session?session_id=s", ""), ("PUT /user_message", "{}"), ("GET /message?session_id=s", ""), ("GET /produced_text", ""),
        ("POST /produced_text", """{"production":"p"}"""), ("DELETE /produced_text?produced_text_pk=1", ""), ("POST /home_chat", "{}"),
    ];

    private static readonly (string Route, string Body, string Secret)[] OfServices =
    [
        ("POST /user_task_execution", """{"user_task_execution_pk":0}""", AssistantsSite.PurchaseUpdater),
        ("GET /retrieve_produced_text?query=q&n_max=1&max_distance=1&user_id=u&user_task_execution_pk=1&task_name_for_system=t",
            "", AssistantsSite.Background),
        ("POST /user_summary", """{"session_id":"s","summary":"s"}""", AssistantsSite.Background),
        ("PUT /mojo_message", """{"session_id":"s","message":{}}""", AssistantsSite.Background),
        ("PUT /task_tool_query", """{"query":{},"task_tool_execution_fk":1}""", AssistantsSite.Background),
        ("POST /task_tool_query", """{"result":1,"task_tool_query_pk":1}""", AssistantsSite.Background),
        ("PUT /home_chat", """{"n_users":1,"offset":0}""", AssistantsSite.Scheduler),
        ("POST /relaunch_locked_workflow_step_executions", "{}", AssistantsSite.Scheduler),
    ];

    private AssistantsSite Site => work.Site;

    [Fact]
    public async Task Without_a_token_or_with_a_wrong_one_nothing_is_answered_but_why()
    {
        foreach (var (route, body) in OfUsers)
        {
            var isBoth = route is "POST /home_chat" or "POST /session" or "POST /produced_text";
            Assert.Equal((route, "403 Authorization key required"), (route, await AskAsync(null, route, body)));
            Assert.Equal((route, "403 Invalid token."), (route, await AskAsync("wrong", route, body)));
            Assert.NotEqual((route, isBoth ? "" : "200 "), (route, await AskAsync(AssistantsSite.Webapp, route, body)));
        }
        foreach (var (route, body, secret) in OfServices)
        {
            Assert.Equal((route, "403 Missing Authorization secret in headers"), (route, await AskAsync(null, route, body)));
            Assert.Equal((route, "403 Authentication error : Wrong secret"), (route, await AskAsync(AssistantsSite.Webapp, route, body)));
            Assert.Equal((route, "403 Authentication error : Wrong secret"), (route, await AskAsync(work.Ada.Token, route, body)));
            Assert.False((await AskAsync(secret, route, body)).StartsWith("403", StringComparison.Ordinal), route);
        }
    }

    [Fact]
    public async Task What_is_another_users_is_not_there()
    {
        var (bob, id, session) = (work.Bob.Token, work.Done.Execution, work.Done.Session);
        var text = work.Done.ProducedText!.Value;
        var ownTask = await Site.ValueAsync<int>("select user_task_id from assistants.task_executions where id = $1", id);
        var before = await StateAsync();

        Assert.Equal(
            $"400 Invalid user_task_execution_pk: {id}", await AskAsync(bob, $"GET /user_task_execution?user_task_execution_pk={id}", ""));
        Assert.Equal(
            "404 user_task_execution not found", await AskAsync(bob, $"DELETE /user_task_execution?user_task_execution_pk={id}", ""));
        Assert.Equal($"400 Invalid user_task_execution_pk: {id}",
            await AskAsync(bob, "POST /user_task_execution_run", $$"""{"user_task_execution_pk":{{id}},"inputs":[]}"""));
        Assert.Equal($"400 Invalid user_task_execution_pk: {id}",
            await AskAsync(bob, "POST /user_task_execution_title", $$"""{"user_task_execution_pk":{{id}},"title":"mine"}"""));
        Assert.Equal("""{"produced_text_version_pk":null}""", (await Site.OkAsync(
            bob, Get, $"/user_task_execution_produced_text?user_task_execution_pk={id}&produced_text_version_index=1")).ToJsonString());
        Assert.Equal(
            $"400 Invalid user_task_pk: {ownTask}", await AskAsync(bob, "PUT /user_task_execution", $$"""{"user_task_pk":{{ownTask}}}"""));
        Assert.Equal("404 user_task not found", await AskAsync(bob, $"GET /user_task?user_task_pk={ownTask}", ""));
        Assert.Equal($"400 Invalid session_id: {session}",
            await AskAsync(bob, "POST /session", $$"""{"session_id":"{{session}}","title":"mine"}"""));
        Assert.Equal("404 Session not found", await AskAsync(bob, $"DELETE /session?session_id={session}", ""));
        Assert.Equal("404 Session not found", await AskAsync(bob, $"GET /message?session_id={session}", ""));
        Assert.Equal($"400 Invalid session_id: {session}", await AskAsync(bob, "PUT /user_message",
            $$"""{"session_id":"{{session}}","message_id":"m","message_date":"2026-01-01","version":"1","text":"hello"}"""));
        Assert.Equal("404 Produced text not found", await AskAsync(bob, $"GET /produced_text?produced_text_pk={text}", ""));
        Assert.Equal("404 Produced text not found", await AskAsync(bob, $"DELETE /produced_text?produced_text_pk={text}", ""));
        Assert.Equal("404 Produced text not found",
            await AskAsync(bob, "POST /produced_text", $$"""{"production":"mine","produced_text_pk":{{text}}}"""));
        Assert.Equal("404 user_task_execution not found",
            await AskAsync(bob, "POST /produced_text", $$"""{"production":"mine","user_task_execution_pk":{{id}}}"""));
        Assert.Equal(
            "404 Session not found", await AskAsync(bob, "POST /produced_text", $$"""{"production":"mine","session_id":"{{session}}"}"""));
        Assert.Equal("400 The user has no company", await AskAsync(bob, "POST /company", """{"feedback":"no"}"""));

        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task What_is_missing_or_wrong_is_named_in_the_words_of_its_family()
    {
        var token = work.Ada.Token;
        Assert.Equal("400 Request must be JSON", await SendAsync(token, "PUT /goal", "goal=1"));
        Assert.Equal("400 Request must be JSON", await SendAsync(token, "PUT /goal", "[]"));
        Assert.Equal("400 Request must be JSON", await SendAsync(token, "PUT /goal", ""));
        Assert.Equal("400 Request must be JSON", await SendAsync(token, "PUT /goal", """{"goal":"a","goal":"b"}"""));
        Assert.Equal("400 Missing field 'datetime'", await SendAsync(token, "PUT /goal", """{"goal":"a"}"""));
        Assert.Equal("400 Missing field 'goal'", await AskAsync(token, "PUT /goal", "{}"));
        Assert.Equal("400 Invalid field 'goal'", await AskAsync(token, "PUT /goal", """{"goal":null}"""));
        Assert.Equal("400 Invalid field 'timezone_offset'", await AskAsync(token, "POST /timezone", """{"timezone_offset":99999}"""));
        Assert.Equal("400 Invalid field 'timezone_name'",
            await AskAsync(token, "POST /timezone", """{"timezone_offset":0,"timezone_name":"Mars/Olympus"}"""));
        Assert.Equal("400 Missing field 'datetime'", await SendAsync(token, "GET /session", ""));
        Assert.Equal("400 Invalid field 'offset'", await AskAsync(token, "GET /session?offset=-1", ""));
        Assert.Equal(
            "400 Missing field 'message_date'", await AskAsync(token, "PUT /user_message", """{"session_id":"s","message_id":"m"}"""));
        Assert.Equal("400 Missing field 'text'",
            await AskAsync(
                token, "PUT /user_message", """{"session_id":"s","message_id":"m","message_date":"2026-01-01","version":"1"}"""));
        Assert.Equal("400 Invalid field 'produced_text_version_index'", await AskAsync(
            token, "GET /user_task_execution_produced_text?user_task_execution_pk=1&produced_text_version_index=0", ""));
        Assert.Equal("400 Invalid request", await SendAsync(AssistantsSite.Background, "POST /user_summary", "nothing"));
        Assert.Equal("400 Invalid session_id: s",
            await AskAsync(AssistantsSite.Background, "POST /user_summary", """{"session_id":"s","summary":"s"}"""));
        Assert.Equal(
            "404 Session not found", await AskAsync(AssistantsSite.Background, "PUT /mojo_message", """{"session_id":"s","message":{}}"""));
        Assert.Equal(
            "400 Missing field 'user_id'", await AskAsync(AssistantsSite.Background, "POST /produced_text", """{"production":"p"}"""));
        Assert.Equal("400 Invalid task_tool_execution_fk: 1",
            await AskAsync(AssistantsSite.Background, "PUT /task_tool_query", """{"query":{},"task_tool_execution_fk":1}"""));
        Assert.Equal("400 The url is not valid", await AskAsync(token, "PUT /company", """{"website_url":"file:///etc/passwd"}"""));
        Assert.Equal("400 The url is not valid", await AskAsync(token, "PUT /company", """{"website_url":"http://169.254.169.254/"}"""));
    }

    [Fact]
    public async Task Clocks_as_far_from_UTC_as_there_are_show_the_right_day()
    {
        foreach (var offset in (int[])[-840, 840])
        {
            var user = await work.RegisteredAsync(offset < 0 ? "east" : "west");
            await Site.OkAsync(user.Token, Post, "/timezone", new() { ["timezone_offset"] = offset });
            var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-offset));
            await Site.OkAsync(user.Token, Post, "/todos/manual", new() { ["description"] = "now", ["due_date"] = "2020-01-01" });
            var todo = Assert.Single((await Site.OkAsync(user.Token, Get, "/todos"))["todos"]!.AsArray())!;
            Assert.InRange(DateOnly.Parse((string)todo["scheduled_date"]!, System.Globalization.CultureInfo.InvariantCulture),
                today, today.AddDays(1));
            Assert.EndsWith(offset < 0 ? "+14:00" : "-14:00", (string)todo["creation_date"]!, StringComparison.Ordinal);
            Assert.Equal("400 Invalid field 'timezone_offset'",
                await Site.StatusAsync(user.Token, Post, "/timezone", new() { ["timezone_offset"] = offset + Math.Sign(offset) }));
        }
    }

    [Fact]
    public async Task No_body_breaks_a_route_or_changes_anything()
    {
        string[] values =
        [
            "null", "[]", "{}", "true", "-1", "2147483648", "1e400", "1e-9999999",
            "\"\\u0000\"", "\"\\ud800\"", "[[[[\"\\u0000\"]]]]", "{\"\\u0000\":1}",
            $"\"{new string('x', 1_000_000)}\"", "\"2026-13-45\"",
        ];
        await Site.Host.RunJobsAsync();
        var before = await StateAsync();
        foreach (var (route, body, token) in OfUsers.Select(one => (one.Route, one.Body, work.Ada.Token))
            .Concat(OfServices.Select(one => (one.Route, one.Body, one.Secret))).Where(one => one.Body.Length > 2))
        {
            foreach (var name in JsonNode.Parse(body)!.AsObject().Select(member => member.Key))
            {
                foreach (var value in values.Where(value => !IsGood(name, value)))
                {
                    var rest = JsonNode.Parse(body)!.AsObject().Where(member => member.Key != name)
                        .Select(member => $"\"{member.Key}\":{member.Value?.ToJsonString() ?? "null"}");
                    var hostile = $$"""{"datetime":"now",{{string.Join(',', rest.Append($"\"{name}\":{value}"))}}}""";
                    var answer = await SendAsync(token, route, hostile);
                    Assert.True(answer.StartsWith("400 ", StringComparison.Ordinal) || answer.StartsWith("404 ", StringComparison.Ordinal),
                        $"{route} {name}={value[..Math.Min(40, value.Length)]}: {answer}");
                }
            }
        }
        Assert.Equal(before, await StateAsync());
    }

    // What such a field may well be.
    private static bool IsGood(string name, string value) => name switch
    {
        "inputs" => value == "[]",
        "result" => !value.Contains("\\u0000", StringComparison.Ordinal)
        && !value.Contains("ud800", StringComparison.Ordinal) && !value.StartsWith("1e", StringComparison.Ordinal),
        "timezone_offset" => value == "-1",
        "summary" => value.Length > 100 || value == "\"2026-13-45\"",
        "goal" or "production" or "title" => value == "\"2026-13-45\"",
        "query" or "message" => value == "{}",
        "offset" or "n_users" => false,
        _ => false,
    };

    private Task<string> StateAsync() => Site.ValueAsync<string>("""
        select md5(string_agg(all_rows.row, ' ' order by all_rows.row)) from (
          select (to_jsonb(u) - 'scheduled_zone')::text as row from assistants.users u
            where name in ('Ada', 'Bob') union all select s::text from assistants.sessions s
          union all select e::text from assistants.task_executions e union all select m::text from assistants.messages m
          union all select p::text from assistants.produced_texts p union all select v::text from assistants.produced_text_versions v
          union all select h::text from assistants.home_chats h union all select c::text from assistants.companies c) all_rows
        """);

    /// <summary>With a <c>datetime</c>.</summary>
    private Task<string> AskAsync(string? authorization, string route, string body)
    {
        var (method, path) = Split(route);
        return Site.StatusAsync(authorization, new(method), path, body.Length == 0 ? null : JsonNode.Parse(body)!.AsObject());
    }

    private async Task<string> SendAsync(string? authorization, string route, string body)
    {
        var (method, path) = Split(route);
        using var content = body.Length == 0 ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var (status, answer) = await Site.SendAsync(authorization, new(method), path, content);
        return $"{status} {answer?["error"]}";
    }

    private static (string Method, string Path) Split(string route) =>
        (route[..route.IndexOf(' ', StringComparison.Ordinal)], route[(route.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
}
