using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Assistants.Auth;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants;

/// <summary>A host with the secrets of the assistants' surface, the demo model, and users who have done something.</summary>
internal sealed class AssistantsSite(HostUnderTest host) : IAsyncDisposable
{
    public const string Scheduler = "the scheduler's own secret of tests";
    public const string Background = "the background's own secret of tests";
    public const string Backoffice = "the back office's own secret of tests";
    public const string Webapp = "the web app's own secret of tests";
    public const string PurchaseUpdater = "the purchase updater's secret of tests";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public HostUnderTest Host => host;

    public static Task<AssistantsSite> StartAsync(params (string Key, string Value)[] settings) =>
        StartAsync(TimeProvider.System, settings);

    /// <param name="clock">What the host takes for the time.</param>
    public static async Task<AssistantsSite> StartAsync(TimeProvider clock, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Assistants:Auth:TokenSecret"] = "what signs the tokens of users in tests",
            ["Assistants:Auth:SchedulerSecret"] = Scheduler,
            ["Assistants:Auth:BackgroundSecret"] = Background,
            ["Assistants:Auth:BackofficeSecret"] = Backoffice,
            ["Assistants:Auth:WebappSecret"] = Webapp,
            ["Assistants:Auth:PurchaseUpdaterSecret"] = PurchaseUpdater,
        };
        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }
        return new(await HostUnderTest.StartAsync(all, builder => builder.Services.AddSingleton(clock)));
    }

    public async Task<Assisted> UserAsync(string name = "Ada", string? zone = null, int? offset = null)
    {
        var id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString("N");
        await SqlAsync("""
            insert into assistants.users (id, organization_id, name, email, timezone_name, timezone_offset, terms_accepted_at)
            select $1, (select id from platform.organizations order by id limit 1), $2, $1 || '@example.org', $3, $4, now()
            """, id, name, zone, offset);
        return new(id, name, host.Services.GetRequiredService<MojodexTokens>().Issue(id));
    }

    /// <summary>A user who has the free product and its tasks, as who registers has.</summary>
    public async Task<Assisted> RegisteredAsync(string name)
    {
        var user = await OkAsync(null, HttpMethod.Put, "/user", new()
        {
            ["email"] = $"{name}@example.org", ["name"] = name, ["password"] = "the analytical engine",
        });
        var token = (string)user["token"]!;
        await OkAsync(token, HttpMethod.Put, "/terms_and_conditions");
        return new(await ValueAsync<string>("select id from assistants.users where name = $1", name), name, token);
    }

    public async Task<(int Id, string Session)> BeginAsync(Assisted user, string task = "general_assistance")
    {
        var own = await ValueAsync<int>("""
            select ut.id from assistants.user_tasks ut
              join assistants.tasks t on t.id = ut.task_id where ut.user_id = $1 and t.name_for_system = $2
            """, user.Id, task);
        var made = await OkAsync(user.Token, HttpMethod.Put, "/user_task_execution", new JsonObject { ["user_task_pk"] = own });
        return ((int)made["user_task_execution_pk"]!, (string)made["session_id"]!);
    }

    /// <summary>
    /// Something that a user did: what he and the assistant said in turns, him first, and what came out of it, produced
    /// <paramref name="quietFor"/> ago.
    /// </summary>
    public async Task<Done> ExecutionAsync(
        Assisted user, string[] said, string? produced = null, TimeSpan? quietFor = null, string task = "prepare_meeting_minutes")
    {
        await SqlAsync("""
            insert into assistants.tasks (type, name_for_system, definition_for_system, icon)
            values ('instruct', $1, 'The user wants minutes of a meeting to be written', '📝') on conflict (name_for_system) do nothing
            """, task);
        var session = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString("N");
        await SqlAsync("insert into assistants.sessions (id, user_id, starting_mode) values ($1, $2, 'form')", session, user.Id);
        var execution = await ValueAsync<int>("""
            with own as (
              insert into assistants.user_tasks (user_id, task_id) select $1, id from assistants.tasks where name_for_system = $3
              on conflict (user_id, task_id) do update set is_enabled = true returning id)
            insert into assistants.task_executions (user_task_id, user_id, session_id, started_at) select own.id, $1, $2, now()
              from own returning id
            """, user.Id, session, task);
        foreach (var (index, text) in said.Index())
        {
            await SqlAsync("""
                insert into assistants.messages (session_id, sender, message, message_date)
                values ($1, $2, jsonb_build_object('text', $3::text, 'message_id', $4::text),
                  now() - interval '1 hour' + $5 * interval '1 second')
                """, session, index % 2 == 0 ? "user" : "mojo", text, string.Create(CultureInfo.InvariantCulture, $"said-{index}"), index);
        }
        var producedText = produced is null ? (int?)null : await ValueAsync<int>("""
            with text as (
              insert into assistants.produced_texts (user_id, task_execution_id, session_id) values ($1, $2, $3) returning id)
            insert into assistants.produced_text_versions (produced_text_id, title, production, created_at)
            select id, 'Minutes', $4, now() - $5::interval from text returning produced_text_id
            """, user.Id, execution, session, produced, quietFor ?? TimeSpan.Zero);
        return new(execution, session, producedText);
    }

    /// <param name="authorization">A user's token, a secret, or nothing.</param>
    /// <param name="path">Below <c>/assistants</c>; what begins with <c>/background</c> goes to the internal listener.</param>
    public async Task<(int Status, JsonNode? Body)> SendAsync(
        string? authorization, HttpMethod method, string path, JsonNode? body = null) =>
        await SendAsync(
            authorization, method, path, body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));

    public async Task<(int Status, JsonNode? Body)> SendAsync(string? authorization, HttpMethod method, string path, HttpContent? content)
    {
        var isBackground = path.StartsWith("/background", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(method, isBackground ? path : $"/assistants{path}") { Content = content };
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }
        using var answer = await (isBackground ? host.Internal : host.Client).SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>The answer to what must succeed; <c>datetime</c> is added.</summary>
    public async Task<JsonNode> OkAsync(string? authorization, HttpMethod method, string path, JsonObject? body = null)
    {
        var (status, answer) = await AskAsync(authorization, method, path, body);
        Assert.True(status == 200, $"{method} {path}: {status} {answer?.ToJsonString()}");
        return answer!;
    }

    /// <summary><c>400 Missing field 'x'</c>; <c>datetime</c> is added.</summary>
    public async Task<string> StatusAsync(string? authorization, HttpMethod method, string path, JsonObject? body = null)
    {
        var (status, answer) = await AskAsync(authorization, method, path, body);
        return $"{status} {answer?["error"]}";
    }

    private Task<(int Status, JsonNode? Body)> AskAsync(string? authorization, HttpMethod method, string path, JsonObject? body)
    {
        const string now = "2026-11-22T08:00:00Z";
        if (body is null && (method == HttpMethod.Get || method == HttpMethod.Delete))
        {
            return SendAsync(
                authorization, method, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}datetime={now}", body);
        }
        var sent = body?.DeepClone() ?? new JsonObject();
        sent["datetime"] ??= now;
        return SendAsync(authorization, method, path, sent);
    }

    /// <summary>As its next slot would.</summary>
    public async Task RunScheduleAsync(string name)
    {
        await OperateAsync($"/api/stoa/jobs/schedules/{name}/run");
        await host.RunJobsAsync();
    }

    public Task PauseScheduleAsync(string name) => OperateAsync($"/api/stoa/jobs/schedules/{name}/pause");

    public async Task SqlAsync(string sql, params object?[] values)
    {
        await using var command = Command(sql, values);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<T> ValueAsync<T>(string sql, params object?[] values)
    {
        await using var command = Command(sql, values);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private async Task OperateAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Authorization = new("Bearer", "stoa-dev");
        using var answer = await host.Client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
    }

    private NpgsqlCommand Command(string sql, object?[] values)
    {
        var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }
        return command;
    }
}

/// <summary>A user and his token.</summary>
internal sealed record Assisted(string Id, string Name, string Token);

/// <summary>An execution, its session, and what came out of it.</summary>
internal sealed record Done(int Execution, string Session, int? ProducedText);
