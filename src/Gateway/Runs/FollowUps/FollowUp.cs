using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs.FollowUps;

/// <summary>What is still to be done after a run has answered. Ids only; the rest stands in the run's row.</summary>
/// <param name="Channel">Where the answer was pushed.</param>
internal sealed record FollowUp(
    Guid RunId, DateTimeOffset CreatedAt, Guid OrganizationId, bool Title, bool Memory, bool Summary, bool Suggestions, bool PostTool,
    string? Channel = null)
{
    public const string Kind = "gateway.follow_up";
}

/// <summary>Decides what follows a run.</summary>
internal sealed class FollowUpJobs(JobQueue jobs) : IRunFollower
{
    public IEnumerable<NewJob> Follow(Run run, RunResult result)
    {
        if (!result.IsSuccess || run.Plan.AgentId is null || run.Request.TestCaseId is not null || run.Request.Depth > 0)
        {
            return [];
        }
        var job = new FollowUp(
            run.Id, run.LoggedAt, run.Request.OrganizationId,
            Title: run.Input.Body.Is("thread_flag") && run.Thread is not null && run.Past.DisplayName is null,
            Memory: run.Plan.Remembers,
            Summary: run.WantsSummary,
            Suggestions: run.Input.Body.Is("suggest"),
            PostTool: run.Plan.Agent?.PostFunction is not null,
            Channel: run.Request.PushChannel);
        if (job is { Title: false, Memory: false, Summary: false, Suggestions: false, PostTool: false })
        {
            return [];
        }
        // The post-tool has an effect of its own: it is not called again because a model could not be asked for a title.
        return new[] { job with { PostTool = false }, job with { Title = false, Memory = false, Summary = false, Suggestions = false } }
            .Where(part => part.Title || part.Memory || part.Summary || part.Suggestions || part.PostTool)
            .Select(part => jobs.Make(part, new() { Owner = new(run.Request.OrganizationId) }));
    }
}
