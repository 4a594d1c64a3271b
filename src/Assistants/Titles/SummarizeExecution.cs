using System.ComponentModel;
using System.Globalization;
using Stoa.Assistants.Cortexes;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Titles;

/// <summary>Gives an execution a title and a summary, of all that its user has said so far.</summary>
internal sealed record SummarizeExecution(int ExecutionId)
{
    public const string Kind = "assistants.title_and_summary";

    /// <summary>One at a time for an execution: what is said while it thinks is thought about once more, together.</summary>
    /// <param name="owner">See <see cref="JobOwners"/>.</param>
    public static EnqueueOptions Once(int executionId, JobOwner owner) => new()
    {
        Owner = owner, UniqueKey = executionId.ToString(CultureInfo.InvariantCulture), UniqueMode = UniqueMode.Coalesce,
    };
}

internal sealed record TitleAndSummary(
    [property: Description("At most 10 words")] string Title,
    [property: Description("At most 3 sentences, to the user, without a greeting")] string Summary);

internal sealed class SummarizeExecutionCortex(
    AssistantsDb db, ExecutionSubjects executions, ExecutionTitles titles, Mind mind, TimeProvider time)
    : Cortex<SummarizeExecution, ExecutionSubject, TitleAndSummary>(db)
{
    private static readonly string Prompt = CortexPrompts.Of("title-and-summary.1");

    private static readonly AnswerForm<TitleAndSummary> Form = AnswerForms.JsonOrTags(
        "title_and_summary", AnswersJson.Default.TitleAndSummary,
        texts => new(texts[0], texts[1]), made => [made.Title, made.Summary], "title", "summary");

    protected override Task<ExecutionSubject?> LoadAsync(SummarizeExecution job, CancellationToken ct) =>
        executions.FindAsync(job.ExecutionId, ct);

    protected override Task<TitleAndSummary> ThinkAsync(ExecutionSubject subject, JobContext context, CancellationToken ct)
    {
        var material = subject.Introduction(time.GetUtcNow())
            .Add("task", subject.Task)
            .Add("form", subject.Inputs == "[]" ? null : subject.Inputs)
            .Add("conversation", subject.Conversation(isUsersOnly: true));
        return mind.AskAsync(new(subject.OrganizationId, "title_and_summary", Prompt, material.ToString()), Form, context, ct);
    }

    protected override Task SaveAsync(ExecutionSubject subject, TitleAndSummary thought, CancellationToken ct) =>
        titles.SaveAsync(subject.ExecutionId, thought, subject.LastMessageId ?? 0, ct);
}
