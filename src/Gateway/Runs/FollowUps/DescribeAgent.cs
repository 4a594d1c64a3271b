using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Delivery;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs.FollowUps;

/// <summary>After a version was published: what the agent does, how good its prompt is, and what one could ask it first.</summary>
/// <param name="OrgId">As the wire of whoever published it names the organization: his page listens by that.</param>
/// <param name="WithSummary">Anew; null: where there is none.</param>
internal sealed record DescribeAgent(Guid OrganizationId, string OrgId, string AgentId, string VersionId, bool? WithSummary)
{
    public const string Kind = "gateway.describe_agent";

    /// <summary>A nicety: what does not pass soon is let be.</summary>
    public static readonly JobRules Rules = new()
    {
        Priority = JobPriority.Low, MaxAttempts = 4, MaxAge = TimeSpan.FromHours(1),
        OnFailure = exception => exception
            is Failure { Kind: not (FailureKind.TooMany or FailureKind.Overloaded or FailureKind.Timeout or FailureKind.Unavailable) }
            ? FailureRule.Discard
            : null,
    };
}

internal sealed class DescribeAgentHandler(GatewayDb db, SideRuns side, BuiltInAgents agents, EditorPushes pages)
    : IJobHandler<DescribeAgent>
{
    private const int MaxSummary = 2_000;
    private const int MaxQuestion = 300;
    private const int MostQuestions = 4;

    public async Task RunAsync(DescribeAgent job, JobContext context, CancellationToken ct)
    {
        // What was published since has a job of its own.
        var agent = await db.Agents.AsNoTracking().FirstOrDefaultAsync(
            one => one.Id == job.AgentId && one.OrganizationId == job.OrganizationId
            && one.DeletedAt == null && one.PublishedVersionId == job.VersionId, ct);
        if (agent is null || AgentWords.OfPrompt(agent.Document) is not { } prompt
            || await side.OpenAsync(
                job.OrganizationId, job.AgentId, job.VersionId, new() { ["user"] = prompt }, context.JobId.ToString(), ct) is not { } run
            || !AgentRunner.Runs(run.Plan.Type)
            || await agents.AskForObjectAsync(run, BuiltInAgents.DescribePrompt, prompt, ct) is not { } said)
        {
            return;
        }
        var changes = ChangesOf(agent.Document, said, job.WithSummary);
        var json = StoredText.Json(changes);
        // Fields of the agent alone, in one statement: what an editor changes meanwhile stays.
        var changed = await db.Database.ExecuteSqlAsync(
            $"""
            update gateway.agents set document = document || {json}::jsonb
            where id = {job.AgentId}
              and organization_id = {job.OrganizationId} and deleted_at is null and published_version_id = {job.VersionId}
            """,
            ct);
        if (changed > 0)
        {
            await pages.AgentUpdatedAsync(job.OrganizationId, job.OrgId, job.AgentId, job.VersionId, ct);
        }
    }

    private static JsonObject ChangesOf(JsonObject document, JsonObject said, bool? withSummary)
    {
        var updates = document.Object("ai_updates")?.DeepClone().AsObject() ?? [];
        var changes = new JsonObject { ["ai_updates"] = updates };
        if (said["score"].AsNumber() is { } score)
        {
            updates["prompt_enhancer_percentage"] = (int)Math.Clamp(score, 0, 100);
        }
        if (said.Object("criteria") is { } criteria)
        {
            updates["criteria_check"] = criteria.DeepClone();
        }
        var questions = new JsonArray([.. said.List("questions").Texts()
            .Where(text => text.Length is > 0 and <= MaxQuestion).Take(MostQuestions).Select(text => (JsonNode)text)]);
        if (questions.Count > 0 && document.Flag("IsstarterQuestionEnable") != false && !HasOwnQuestions(document))
        {
            changes["starterQuestion"] = questions;
            updates["starter_questions"] = questions.DeepClone();
        }
        if (said.Name("summary") is { } summary && (withSummary ?? document.Name("bridge_summary") is null))
        {
            changes["bridge_summary"] = summary[..Math.Min(summary.Length, MaxSummary)];
        }
        return changes;
    }

    /// <summary>Those that somebody wrote stay; those of an earlier version are made anew.</summary>
    private static bool HasOwnQuestions(JsonObject document) =>
        document.List("starterQuestion") is { Count: > 0 } there
            && !JsonNode.DeepEquals(there, document.Object("ai_updates")?["starter_questions"]);
}
