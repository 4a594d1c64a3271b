using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Tasks;

/// <summary>A task as the wire shows it, in one of three shapes.</summary>
[JsonDerivedType(typeof(LearningMaterialTask))]
[JsonDerivedType(typeof(QuizTask))]
[JsonDerivedType(typeof(AssignmentTask))]
internal abstract record TaskView(
    int Id, string Title, TaskType Type, PublishState Status,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ScheduledPublishAt)
{
    /// <summary>The same without reference solutions and knowledge bases.</summary>
    public abstract TaskView ForLearner();
}

internal sealed record LearningMaterialTask(
    int Id, string Title, TaskType Type, PublishState Status, DateTimeOffset? ScheduledPublishAt, JsonArray Blocks)
    : TaskView(Id, Title, Type, Status, ScheduledPublishAt)
{
    public override TaskView ForLearner() => this;
}

internal sealed record QuizTask(
    int Id, string Title, TaskType Type, PublishState Status, DateTimeOffset? ScheduledPublishAt, IReadOnlyList<QuestionView> Questions)
    : TaskView(Id, Title, Type, Status, ScheduledPublishAt)
{
    public override TaskView ForLearner() =>
        this with { Questions = [.. Questions.Select(question => question with { Answer = null, Context = null })] };
}

internal sealed record AssignmentTask(
    int Id, string Title, TaskType Type, PublishState Status, DateTimeOffset? ScheduledPublishAt, AssignmentView Assignment)
    : TaskView(Id, Title, Type, Status, ScheduledPublishAt)
{
    public override TaskView ForLearner() => this with { Assignment = Assignment with { Context = null } };
}

/// <param name="Answer">The reference solution.</param>
/// <param name="Context">The knowledge base.</param>
internal sealed record QuestionView(
    int Id, JsonArray Blocks, JsonNode? Answer, QuestionType Type, InputType InputType, ResponseType ResponseType, JsonNode? Context,
    JsonNode? CodingLanguages, int? ScorecardId, string Title, JsonNode? Settings, int? MaxAttempts, bool? IsFeedbackShown)
{
    public static QuestionView Of(QuestionRow row, int? scorecardId) => new(
        row.Id, Tasks.Blocks.Read(row.Blocks), Tasks.Blocks.ReadAny(row.Answer), row.Type, row.InputType, row.ResponseType,
        Tasks.Blocks.ReadAny(row.Context), Tasks.Blocks.ReadAny(row.CodingLanguages),
        scorecardId, row.Title, Tasks.Blocks.ReadAny(row.Settings),
        row.MaxAttempts, row.IsFeedbackShown);
}

/// <param name="Context">The knowledge base.</param>
internal sealed record AssignmentView(
    JsonArray Blocks, JsonNode? Context, JsonNode? EvaluationCriteria, InputType? InputType, ResponseType? ResponseType, int? MaxAttempts,
    JsonNode? Settings)
{
    /// <summary>Nothing was saved yet.</summary>
    public static AssignmentView Empty => new([], null, null, null, null, null, null);

    public static AssignmentView Of(AssignmentRow row) => new(
        Tasks.Blocks.Read(row.Blocks), Tasks.Blocks.ReadAny(row.Context), Tasks.Blocks.ReadAny(row.EvaluationCriteria), row.InputType,
        row.ResponseType, row.MaxAttempts, Tasks.Blocks.ReadAny(row.Settings));
}

internal sealed record TaskSummary(
    int Id, string Title, TaskType Type, PublishState Status,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ScheduledPublishAt);
