using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.History;
using Stoa.Gateway.Prompts;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Gateway.RunTools;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs.FollowUps;

/// <summary>Names the conversation, keeps its notes and its summary, suggests what could come next, calls the post-tool.</summary>
internal sealed class FollowUpHandler(
    GatewayDb db, NpgsqlDataSource database, SideRuns side, BuiltInAgents agents,
    OwnPrompts prompts, ToolMaking tools, EditorPushes pages) : IJobHandler<FollowUp>
{
    /// <summary>Exchanges that stay as they are when older ones are folded into the summary.</summary>
    private const int KeptWhole = 4;

    public async Task RunAsync(FollowUp job, JobContext context, CancellationToken ct)
    {
        var row = await db.Runs.AsNoTracking().FirstOrDefaultAsync(
            run => run.Id == job.RunId && run.CreatedAt == job.CreatedAt && run.OrganizationId == job.OrganizationId, ct);
        if (row is null || await RunOfAsync(row, ct) is not { } run)
        {
            return;
        }
        if (job.PostTool && run.Plan.Agent?.PostFunction is { } function)
        {
            await PostAsync(row, run, function, ct);
        }
        var thread = new ThreadKey(row.OrganizationId, row.AgentId, row.ThreadId, row.SubThreadId);
        var channel = job.Channel ?? EditorPushes.ChannelOf(row.AgentId, row.ThreadId, row.SubThreadId);
        if (job.Title)
        {
            await NameAsync(run, thread, channel, ct);
        }
        if (job.Memory)
        {
            await RememberAsync(row, run, thread, ct);
        }
        if (job.Summary)
        {
            await SummarizeAsync(run, thread, ct);
        }
        if (job.Suggestions)
        {
            await SuggestAsync(row, run, channel, ct);
        }
    }

    private async Task<Run?> RunOfAsync(AgentRun row, CancellationToken ct)
    {
        var run = await side.OpenAsync(
            row.OrganizationId, row.AgentId, row.VersionId,
            new() { ["user"] = row.UserMessage, ["thread_id"] = row.ThreadId,
                ["variables"] = row.Document.Object("variables")?.DeepClone() },
            row.MessageId, ct);
        run?.Variables.Set("response", row.Answer);
        return run;
    }

    private async Task PostAsync(AgentRun row, Run run, Gateway.Tools.AgentTool function, CancellationToken ct)
    {
        var arguments = PreToolStep.Filled((run.Plan.Stored("post_tool") as JsonObject).Object("args"), run.Variables);
        arguments["response"] = row.Answer;
        arguments["message_id"] = row.MessageId;
        await tools.CallAsync(function, arguments, ct);
    }

    private async Task NameAsync(Run run, ThreadKey thread, string? channel, CancellationToken ct)
    {
        var title = await agents.TitleAsync(run, run.User, ct);
        if (title.Length == 0)
        {
            return;
        }
        await using var command = database.CreateCommand("""
            update gateway.threads set display_name = $5
            where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4 and display_name is null
            returning created_at
            """);
        foreach (var value in (object[])[thread.OrganizationId, thread.AgentId, thread.ThreadId, thread.SubThreadId, title])
        {
            command.Parameters.Add(new() { Value = value });
        }
        // Named in the meantime, by somebody else or by this job before it broke off, it is not named again.
        if (await command.ExecuteScalarAsync(ct) is DateTime createdAt && channel is not null)
        {
            await pages.ConversationNamedAsync(
                thread.OrganizationId, channel, thread.ThreadId, thread.SubThreadId, title, new(createdAt, TimeSpan.Zero), ct);
        }
    }

    private async Task RememberAsync(AgentRun row, Run run, ThreadKey thread, CancellationToken ct)
    {
        var past = await ThreadHistory.ReadAsync(database, thread, ct);
        var text = $"""
            Notes so far: {past.Memory ?? "none"}
            What they should be about: {run.Plan.Stored("gpt_memory_context").AsText() ?? "what helps to lead the conversation"}
            User: {row.UserMessage}
            Assistant: {row.Answer}
            """;
        var memory =
            await agents.AskAsync(run, await prompts.FindAsync(row.OrganizationId, OwnPrompts.Memory, ct), text, wantsJson: false, ct);
        if (memory.Length > 0 && !memory.Trim('.', ' ').Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            await WriteAsync(thread, "memory = $5", StoredText.Clean(memory), ct);
        }
    }

    private async Task SummarizeAsync(Run run, ThreadKey thread, CancellationToken ct)
    {
        var past = await ThreadHistory.ReadAsync(database, thread, ct);
        var open = past.Exchanges.Where(exchange => past.SummarizedTo is not { } folded || exchange.Id.CompareTo(folded) > 0).ToList();
        if (open.Count <= KeptWhole)
        {
            return;
        }
        var older = open[..^KeptWhole];
        var text = $"Summary so far: {past.Summary ?? "none"}\n"
            + string.Join('\n', older.Select(exchange => $"User: {exchange.User}\nAssistant: {exchange.Answer}"));
        var summary = await agents.AskAsync(run, BuiltInAgents.SummaryPrompt, text, wantsJson: false, ct);
        if (summary.Length > 0)
        {
            var command = thread.Command("""
                update gateway.threads set summary = $5, summarized_to = $6
                where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4
                  and (summarized_to is null or summarized_to < $6)
                """);
            command.Parameters.Add(new() { Value = StoredText.Clean(summary) });
            command.Parameters.Add(new() { Value = older[^1].Id });
            await ExecuteAsync(command, ct);
        }
    }

    private async Task SuggestAsync(AgentRun row, Run run, string? channel, CancellationToken ct)
    {
        var answer = await agents.AskForObjectAsync(
            run, await prompts.FindAsync(row.OrganizationId, OwnPrompts.Suggestions, ct),
            $"User: {row.UserMessage}\nAssistant: {row.Answer}", ct);
        var suggestions = new JsonArray([.. answer.List("suggestions").Texts().Take(3).Select(text => (JsonNode)text)]);
        if (suggestions.Count == 0)
        {
            return;
        }
        var json = StoredText.Json(new JsonObject { ["suggestions"] = suggestions });
        await db.Database.ExecuteSqlAsync(
            $"update gateway.runs set document = document || {json}::jsonb where id = {row.Id} and created_at = {row.CreatedAt}", ct);
        if (channel is not null)
        {
            await pages.SuggestedAsync(row.OrganizationId, channel, suggestions, ct);
        }
    }

    private Task WriteAsync(ThreadKey thread, string set, string value, CancellationToken ct)
    {
        var command = thread.Command(
            $"update gateway.threads set {set} where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4");
        command.Parameters.Add(new() { Value = value });
        return ExecuteAsync(command, ct);
    }

    private async Task ExecuteAsync(NpgsqlBatchCommand command, CancellationToken ct)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(ct);
    }
}
