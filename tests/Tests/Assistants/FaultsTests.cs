using System.Globalization;
using Npgsql;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Tests.Assistants.Events;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants;

/// <summary>Faults of the original that no other test holds away.</summary>
public sealed class FaultsTests(TestCluster cluster)
{
    [Fact]
    public async Task Exactly_one_page_of_overdue_todos_comes_to_an_end()
    {
        await using var thinking = await ThinkingSite.StartAsync("2027-11-02T01:10:00Z");
        var site = thinking.Site;
        var user = await site.UserAsync("Utc", "UTC");
        await site.SqlAsync(
            "insert into platform.job_kinds (kind, paused_at) values ('assistants.reschedule_todo', now()) on conflict (kind) do update set paused_at = now()");
        await site.SqlAsync("""
            insert into assistants.todos (user_id, description, content_key, scheduled_date) select $1, 'Todo ' || n, 'k' || n, '2027-10-29'
              from generate_series(1, 50) n
            """, user.Id);

        var answer = await site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/todos_scheduling");

        Assert.Equal(50, answer["todo_pks"]!.AsArray().Distinct().Count());
        Assert.Equal(50, await site.ValueAsync<long>("select count(*) from platform.jobs where kind = 'assistants.reschedule_todo'"));
    }

    [Fact]
    public async Task A_model_is_told_since_when_a_todo_waits_and_the_newest_day_counts_though_it_is_earlier()
    {
        await using var thinking = await ThinkingSite.StartAsync("2027-11-02T10:00:00Z");
        var site = thinking.Site;
        var user = await site.UserAsync("Utc", "UTC");
        var execution = await site.ExecutionAsync(user, ["I met Bob"], produced: "Minutes");
        var todo = await site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "/todos", new()
        {
            ["description"] = "Call", ["due_date"] = "2027-11-02", ["user_task_execution_fk"] = execution.Execution,
        });
        foreach (var day in (string[])["2027-11-20", "2027-11-03"])
        {
            await site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "/todos_scheduling", new()
            {
                ["todo_fk"] = (int)todo["todo_pk"]!, ["argument"] = "Then", ["reschedule_date"] = day,
            });
        }
        Assert.Equal("2027-11-03 Call", await thinking.TodosOfAsync(execution));

        thinking.Clock.Set(ThinkingSite.At("2027-11-04T01:10:00Z"));
        thinking.Provider.EnqueueFor(ThinkingSite.Model, ThinkingSite.Decision("Soon", "2027-11-05"));
        await site.OkAsync(
            authorization: null, HttpMethod.Post, "/background/reschedule_todo", new() { ["todo_pk"] = (int)todo["todo_pk"]! });
        await site.Host.RunJobsAsync();

        Assert.Contains("First planned for 2027-11-02, rescheduled 2 times since; last due on 2027-11-03",
            Material(thinking.Provider), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_holds_a_connection_while_a_model_thinks()
    {
        await using var thinking = await ThinkingSite.StartAsync("2027-11-02T10:00:00Z");
        var (site, provider) = (thinking.Site, thinking.Provider);
        var release = new TaskCompletionSource();
        for (var number = 0; number < 4; number++)
        {
            provider.EnqueueFor(
                ThinkingSite.Model, ScriptedAnswer.Text("<title>Bob</title><summary>Met.</summary>").Hold(release: release.Task));
            var execution = await site.ExecutionAsync(await site.UserAsync($"User {number}"), ["I met Bob"]);
            await site.OkAsync(
                authorization: null, HttpMethod.Post, "/background/user_task_execution_title_and_summary",
                new() { ["user_task_execution_pk"] = execution.Execution });
        }
        await Patience.UntilAsync(() => Task.FromResult(provider.Requests.Count == 4));

        await Patience.UntilAsync(() => site.ValueAsync<bool>("""
            select count(*) = 0 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'
            """));
        release.SetResult();
        await site.Host.RunJobsAsync();
        Assert.Equal(4L, await site.ValueAsync<long>("select count(*) from assistants.task_executions where title = 'Bob'"));
    }

    [Fact]
    public async Task A_notification_has_room_for_its_json_and_is_asked_for_in_the_users_language()
    {
        await using var events = new EventsSite();
        await events.InitializeAsync();
        var user = await events.Site.UserAsync("Ada", "Asia/Tokyo");
        await events.Site.SqlAsync("update assistants.users set language_code = 'fr' where id = $1", user.Id);
        await events.Site.OkAsync(user.Token, HttpMethod.Put, "/device", new() { ["fcm_token"] = $"device-{user.Id}" });
        await events.TodoAsync(user, "Call Bob", "2027-03-20", created: "2027-03-10T01:00:00Z");
        await events.TickAsync("2027-03-09T12:00:00Z");

        await events.TickAsync("2027-03-10T05:00:00Z");

        var asked = events.Provider.Requests[^1].Json!;
        Assert.Equal(200, (int)(asked["max_completion_tokens"] ?? asked["max_tokens"])!);
        Assert.Contains(
            "<language>\nfr\n</language>", Material(events.Provider).Replace("\r", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTPS://Example.ORG/Some/Path", "https://example.org/Some/Path")]
    [InlineData("Example.org/About?Lang=FR", "https://example.org/About?Lang=FR")]
    public void Only_scheme_and_host_are_put_in_lower_case(string typed, string kept) => Assert.Equal(kept, PageAddress.Typed(typed));

    [Fact]
    public async Task Who_has_no_company_has_his_website_read_and_his_texts_edited()
    {
        await using var site = await AssistantsSite.StartAsync();
        await site.SqlAsync(
            "insert into platform.job_kinds (kind, paused_at) values ('assistants.read_website', now()) on conflict (kind) do update set paused_at = now()");
        var user = await site.UserAsync();
        await site.OkAsync(user.Token, HttpMethod.Put, "/resource",
            new() { ["name"] = "Note", ["text"] = "Bob of Initech orders the printers on Monday." });
        var note = await site.ValueAsync<int>("select id from assistants.documents where user_id = $1", user.Id);

        await site.OkAsync(authorization: null, HttpMethod.Post, "/background/parse_website", new()
        {
            ["company_pk"] = null, ["website_url"] = "https://example.org", ["user_id"] = user.Id,
        });
        await site.OkAsync(authorization: null, HttpMethod.Post, "/background/update_document", new()
        {
            ["document_pk"] = note, ["edition"] = "Bob of Initech orders the scanners on Tuesday.", ["user_id"] = user.Id,
        });

        Assert.Equal(
            1L, await site.ValueAsync<long>("select count(*) from assistants.websites where user_id = $1 and company_id is null", user.Id));
        Assert.Contains("scanners", await site.ValueAsync<string>(
            "select text from assistants.document_chunks where user_id = $1 and deleted_at is null", user.Id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_table_counts_by_itself_and_what_is_looked_for_has_an_index()
    {
        await using var database = NpgsqlDataSource.Create(await cluster.CreateDatabaseAsync());

        Assert.True(await ValueAsync<bool>(database, """
            select pg_get_serial_sequence('assistants.todos', 'id') <> pg_get_serial_sequence('assistants.todo_schedulings', 'id')
            """));
        Assert.Equal(0L, await ValueAsync<long>(database, """
            select count(*) from unnest(array[
              'messages_in_order', 'messages_once', 'task_executions_by_user_task', 'task_executions_without_todos',
                'todos_once', 'todos_open',
              'todo_schedulings_by_todo', 'documents_by_name', 'document_chunks_in_order', 'document_chunks_by_vector',
                'document_chunks_by_word',
              'users_by_email', 'websites_by_url', 'website_pages_by_url']) wanted
            where not exists (select from pg_indexes where schemaname = 'assistants' and indexname = wanted)
            """));
    }

    private static async Task<T> ValueAsync<T>(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static string Material(ScriptedProvider provider) =>
        string.Create(CultureInfo.InvariantCulture, $"{provider.Requests[^1].Json!["messages"]!.AsArray()[1]!["content"]}");
}
