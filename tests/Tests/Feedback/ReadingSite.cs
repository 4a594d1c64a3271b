using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Feedback.Commands;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback;

/// <summary>The host with the trusted client's key, and rows put in by SQL where a test is about what is read.</summary>
internal sealed class ReadingSite(HostUnderTest host) : IAsyncDisposable
{
    public static readonly Guid Alice = Guid.Parse("00000000-0000-7000-8000-00000000000a"),
        Bob = Guid.Parse("00000000-0000-7000-8000-00000000000b");

    public HostUnderTest Host => host;

    public NpgsqlDataSource Database => host.Services.GetRequiredService<NpgsqlDataSource>();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<ReadingSite> StartAsync(Dictionary<string, string?>? settings = null)
    {
        var host = await HostUnderTest.StartAsync(settings);
        host.Client.DefaultRequestHeaders.Add("X-API-Key", "1234");
        return new(host);
    }

    /// <summary>Alice and Bob, of the trusted client.</summary>
    public async Task<ReadingSite> WithUsersAsync()
    {
        await RunAsync($"""
            insert into feedback.user (id, username, auth_method, display_name, api_client_id)
            select id, name, 'local', display, (select id from feedback.api_client where trusted)
            from (values ('{Alice}'::uuid, 'alice', 'Alice'), ('{Bob}', 'bob', 'Bob')) as given (id, name, display)
            """);
        return this;
    }

    /// <summary>A message; a root is a tree of its own that grows.</summary>
    public async Task<Guid> SayAsync(Guid user, string text, Guid? parent = null, string more = "review_result = true")
    {
        var id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        await RunAsync(parent is null
            ? $"""
                insert into feedback.message (id, message_tree_id, user_id, role, api_client_id, frontend_message_id, text)
                values ('{id}', '{id}', '{user}', 'prompter', (select id from feedback.api_client where trusted), '{id}', '{text}');
                insert into feedback.message_tree_state (message_tree_id, goal_tree_size, max_depth, max_children_count, state, active)
                values ('{id}', 12, 3, 3, 'growing', true)
                """
            : $"""
                insert into feedback.message (id, parent_id, message_tree_id, user_id, role, depth, api_client_id,
                  frontend_message_id, text)
                select '{id}', id, message_tree_id, '{user}', case role when 'prompter' then 'assistant' else 'prompter' end,
                  depth + 1, api_client_id,
                  '{id}', '{text}'
                from feedback.message where id = '{parent}';
                update feedback.message set children_count = children_count + 1 where id = '{parent}'
                """);
        await RunAsync($"update feedback.message set {more} where id = '{id}'");
        return id;
    }

    /// <summary>A ranking with its task, counted.</summary>
    public Task RankAsync(Guid user, Guid parent, params Guid[] order) => RunAsync($"""
        with task as (
          insert into feedback.task (id, user_id, type, api_client_id, done, ack, parent_message_id)
          values (gen_random_uuid(), '{user}', 'rank_assistant_replies', (select id from feedback.api_client where trusted),
            true, true, '{parent}')
          returning id, api_client_id, user_id),
        noted as (
          insert into feedback.journal (id, user_id, api_client_id, event_type, event_payload)
          select gen_random_uuid(), user_id, api_client_id, 'message_ranking', jsonb_build_object('task_id', id) from task)
        insert into feedback.message_reaction (task_id, user_id, api_client_id, kind, ranking_parent_id, message_id, ranked_ids, ranking)
        select id, user_id, api_client_id, 'ranking', '{parent}', '{parent}', '{Ids(order)}'::uuid[], array[0] from task;
        update feedback.message set ranking_count = ranking_count + 1 where id = any ('{Ids(order)}'::uuid[])
        """);

    /// <summary>A review with its task.</summary>
    public Task LabelAsync(Guid user, Guid message, string labels, string mode = "full") => RunAsync($"""
        with task as (
          insert into feedback.task (id, user_id, type, mode, api_client_id, done, ack, parent_message_id)
          values (gen_random_uuid(), '{user}', 'label_assistant_reply', '{mode}', (select id from feedback.api_client where trusted), true,
            true, '{message}')
          returning id, api_client_id, user_id)
        insert into feedback.text_labels (id, user_id, api_client_id, text, message_id, labels, task_id)
        select id, user_id, api_client_id, '', '{message}', '{labels}', id from task;
        update feedback.message set review_count = review_count + 1 where id = '{message}'
        """);

    public async Task RunAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<T> AskAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    public async Task<JsonNode> GetAsync(string path)
    {
        using var answer = await host.Client.GetAsync(new Uri($"/api/v1{path}", UriKind.Relative), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The status and the body.</summary>
    public async Task<(int Status, JsonNode? Body)> SendAsync(string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(new(method), new Uri($"/api/v1{path}", UriKind.Relative))
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        using var answer = await host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>As the command line does it; the lines that it told.</summary>
    public async Task<List<string>> CommandAsync(Func<FeedbackCommands, Action<string>, Task> run)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var told = new List<string>();
        await run(scope.ServiceProvider.GetRequiredService<FeedbackCommands>(), told.Add);
        return told;
    }

    /// <summary>Every rule that is broken.</summary>
    public async Task<List<string>> BrokenAsync()
    {
        var lines = await CommandAsync((commands, tell) => commands.CheckAsync(tell, Ct));
        return lines.FindAll(line => !line.StartsWith("ok ", StringComparison.Ordinal));
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private static string Ids(Guid[] ids) => $"{{{string.Join(',', ids)}}}";
}
