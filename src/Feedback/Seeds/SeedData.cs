using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Tasks;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Seeds;

/// <summary>One text of the file, parents before their replies.</summary>
/// <param name="TaskMessageId">With which its task counts as acknowledged; by it the text is known at the next start.</param>
/// <param name="ParentMessageId">The <paramref name="UserMessageId"/> of what it answers.</param>
/// <param name="TreeState">Of a root; growing unless given.</param>
internal sealed record SeedText(
    string TaskMessageId, string UserMessageId, string Text, string Role,
    string? ParentMessageId = null, string? Lang = null, string? TreeState = null);

/// <summary>
/// Puts the seed in at the start: texts of one hidden user, accepted, each with its task. A second start finds them there.
/// </summary>
internal sealed partial class SeedData(
    IOptions<SeedOptions> options, IOptions<FeedbackOptions> feedback, ApiClients clients, UserStore users, FeedbackChanges changes,
    TreeActivation activation, NpgsqlDataSource source, TimeProvider time, ILogger<SeedData> logger) : BackgroundService
{
    private static readonly string Known = $"select ack from feedback.task where id = {TaskRows.Shown("$2")}";

    private const string Parent =
        "select id, message_tree_id, depth from feedback.message where api_client_id = $1 and frontend_message_id = $2";

    private static readonly HashSet<string> States =
        new(Enum.GetValues<TreeState>().Select(EnumNames<TreeState>.Write), StringComparer.Ordinal);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(async () =>
    {
        if (!options.Value.Enabled)
        {
            return;
        }
        await clients.WhenLoaded(stoppingToken);
        try
        {
            await SeedAsync(stoppingToken);
        }
        // A host without its seed still serves; what of it is in stays, and the next start goes on.
        catch (Exception wrong)
            when (wrong is JsonException or IOException or UnauthorizedAccessException or DbException or InvalidDataException or Failure)
        {
            LogFailed(wrong);
        }
    });

    internal async Task<int> SeedAsync(CancellationToken ct)
    {
        var clientId = (await source.ListAsync(
            Statement.Of(
                "select id from feedback.api_client where trusted and enabled and frontend_type = 'web' order by created_at limit 1"),
            row => row.GetGuid(0), ct)) is [var first, ..] ? first
            : throw new InvalidDataException("There is no trusted web client to own the seed");
        var client = new ApiClient(clientId, "", "web", Trusted: true);
        var author = await users.EnsureAsync(client, new("__dummy_user__", "Dummy User", "local"), ct);
        await source.ExecuteAsync(
            Statement.Of("""
                update feedback.user set show_on_leaderboard = false, tos_acceptance_date = coalesce(tos_acceptance_date, $2) where id = $1
                """, author.Id, time.GetUtcNow()),
            ct);
        var added = 0;
        HashSet<Guid> trees = [];
        foreach (var text in await ReadAsync(ct))
        {
            if (await changes.RunAsync(change => AddAsync(change, client, author.Id, text, ct), ct) is { } tree)
            {
                added++;
                trees.Add(tree);
            }
        }
        // Only now: a tree that is to be ranked has nothing to rank before its replies are there, and would be done.
        foreach (var tree in trees)
        {
            await changes.RunAsync(change => activation.SettleAsync(change.Connection, [tree], client.Id, resume: false, ct), ct);
        }
        if (added > 0)
        {
            LogSeeded(added);
        }
        return added;
    }

    private async Task<List<SeedText>> ReadAsync(CancellationToken ct)
    {
        await using var file = options.Value.Path is { Length: > 0 } path
            ? File.OpenRead(path)
            : typeof(SeedData).Assembly.GetManifestResourceStream("Stoa.Feedback.Seeds.seed.json")!;
        var texts = await JsonSerializer.DeserializeAsync(file, SeedJson.Default.ListSeedText, ct) ?? [];
        return texts.Select(Wrong).FirstOrDefault(wrong => wrong is not null) is { } problem
            ? throw new InvalidDataException(problem) : texts;
    }

    // All of the file before any of it is in.
    private static string? Wrong(SeedText? text) => text switch
    {
        null => "A text of the seed is null",
        { Role: not ("prompter" or "assistant") } => $"'{text.TaskMessageId}' has no known role",
        { TreeState: { } state } when !States.Contains(state) => $"'{text.TaskMessageId}' has no known state",
        _ => null,
    };

    /// <summary>Its tree; null when the text was there.</summary>
    private async Task<Guid?> AddAsync(FeedbackChange change, ApiClient client, Guid authorId, SeedText text, CancellationToken ct)
    {
        var known = await change.Connection.ListAsync(
            Statement.Of(Known, client.Id, text.TaskMessageId), row => !row.IsDBNull(0) && row.GetBoolean(0), ct);
        if (known is [true])
        {
            return null;
        }
        var parent = text.ParentMessageId is null ? null
            : (await change.Connection.ListAsync(
                Statement.Of(Parent, client.Id, text.ParentMessageId),
                row => new Place(row.GetGuid(0), row.GetGuid(1), row.GetInt32(2)), ct)).FirstOrDefault()
                ?? throw new InvalidDataException($"'{text.ParentMessageId}' comes after its reply, or not at all");
        var (taskId, id) = (change.NewId(), change.NewId());
        var tree = parent?.TreeId ?? id;
        var lang = text.Lang ?? Language.Default;
        var type = parent is null ? TaskType.InitialPrompt : text.Role == "assistant" ? TaskType.AssistantReply : TaskType.PrompterReply;
        change.Write($"delete from feedback.task where id = {TaskRows.Shown("$2")}", client.Id, text.TaskMessageId);
        change.Write(
            """
            with shown as (
              insert into feedback.task_shown (api_client_id, frontend_message_id, task_id) values ($5, $6, $1)
            )
            insert into feedback.task (id, created_date, user_id, type, api_client_id, ack, done, frontend_message_id, message_tree_id,
              parent_message_id)
            values ($1, $2, $3, $4, $5, true, true, $6, $7, $8::uuid)
            """,
            taskId, change.Now, authorId, type, client.Id, text.TaskMessageId, tree, parent?.Id);
        change.Write(
            """
            insert into feedback.message (id, parent_id, message_tree_id, task_id, user_id, role, api_client_id,
              frontend_message_id, created_date,
              text, lang, depth, review_count, review_result, search_vector)
            values ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9, $10::text, $11::text, $12, 5, true, to_tsvector(feedback.words($11), $10))
            """,
            id, parent?.Id, tree, taskId, authorId, text.Role, client.Id,
            text.UserMessageId, change.Now, text.Text, lang, (parent?.Depth ?? -1) + 1);
        change.Note("text_reply_to_message", client.Id, authorId, id, tree, new()
        {
            ["type"] = "text_reply_to_message", ["user_id"] = authorId, ["message_id"] = id,
            ["task_id"] = taskId, ["task_type"] = Interactions.PayloadOf(type),
            ["length"] = text.Text.Length, ["role"] = text.Role,
        });
        if (parent is null)
        {
            WriteTree(change, tree, text.TreeState, lang);
        }
        else
        {
            change.Write("update feedback.message set children_count = children_count + 1 where id = $1", parent.Id);
        }
        return tree;
    }

    private void WriteTree(FeedbackChange change, Guid tree, string? state, string lang)
    {
        var (rules, stands) = (feedback.Value.TreeManager, EnumNames<TreeState>.Read(state ?? "growing"));
        change.Write(
            """
            insert into feedback.message_tree_state (message_tree_id, goal_tree_size, max_depth, max_children_count, state, active, lang)
            values ($1, $2, $3, $4, $5, $6, $7)
            """,
            tree, rules.GoalTreeSize, rules.MaxTreeDepth, rules.MaxChildrenCount,
            EnumNames<TreeState>.Write(stands), !TreeRules.IsTerminal(stands), lang);
    }

    [LoggerMessage(LogLevel.Information, "{Count} texts of the seed were put in")]
    private partial void LogSeeded(int count);

    [LoggerMessage(LogLevel.Error, "The seed could not be put in")]
    private partial void LogFailed(Exception wrong);

    private sealed record Place(Guid Id, Guid TreeId, int Depth);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(List<SeedText>))]
internal sealed partial class SeedJson : JsonSerializerContext;
