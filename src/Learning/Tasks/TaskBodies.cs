using System.Text.Json.Nodes;

namespace Stoa.Learning.Tasks;

internal sealed record CreateDraftTaskRequest
{
    public required int CourseId { get; init; }

    public required int MilestoneId { get; init; }

    public required TaskType Type { get; init; }

    public required string Title { get; init; }
}

internal sealed record PublishLearningMaterialTaskRequest
{
    public required string Title { get; init; }

    public required JsonArray Blocks { get; init; }

    public DateTimeOffset? ScheduledPublishAt { get; init; }
}

internal sealed record UpdateLearningMaterialTaskRequest
{
    public required string Title { get; init; }

    public required JsonArray Blocks { get; init; }

    public DateTimeOffset? ScheduledPublishAt { get; init; }

    public required PublishState Status { get; init; }
}

/// <summary>A question with all that it has; with an id it is one that the quiz has already.</summary>
internal sealed record CreateQuestionRequest
{
    public int? Id { get; init; }

    public required JsonArray Blocks { get; init; }

    public JsonArray? Answer { get; init; }

    public required QuestionType Type { get; init; }

    public required InputType InputType { get; init; }

    public required ResponseType ResponseType { get; init; }

    public JsonObject? Context { get; init; }

    public IReadOnlyList<string>? CodingLanguages { get; init; }

    public int? ScorecardId { get; init; }

    public required string Title { get; init; }

    public JsonNode? Settings { get; init; }

    public string? GenerationModel { get; init; }

    public int? MaxAttempts { get; init; }

    public bool? IsFeedbackShown { get; init; }
}

internal sealed record UpdateDraftQuizRequest
{
    public required string Title { get; init; }

    public required IReadOnlyList<CreateQuestionRequest> Questions { get; init; }

    public DateTimeOffset? ScheduledPublishAt { get; init; }

    public required PublishState Status { get; init; }
}

/// <summary>What changes of a question; null leaves its kind as it is.</summary>
internal sealed record UpdateQuestionRequest
{
    public required int Id { get; init; }

    public required JsonArray Blocks { get; init; }

    public IReadOnlyList<string>? CodingLanguages { get; init; }

    public JsonArray? Answer { get; init; }

    public int? ScorecardId { get; init; }

    public InputType? InputType { get; init; }

    public JsonObject? Context { get; init; }

    public ResponseType? ResponseType { get; init; }

    public QuestionType? Type { get; init; }

    public required string Title { get; init; }

    public JsonNode? Settings { get; init; }
}

internal sealed record UpdatePublishedQuizRequest
{
    public required string Title { get; init; }

    public required IReadOnlyList<UpdateQuestionRequest> Questions { get; init; }

    public DateTimeOffset? ScheduledPublishAt { get; init; }
}

internal sealed record AssignmentBody
{
    public required JsonArray Blocks { get; init; }

    public JsonObject? Context { get; init; }

    public EvaluationCriteria? EvaluationCriteria { get; init; }

    public InputType? InputType { get; init; }

    public ResponseType? ResponseType { get; init; }

    public int? MaxAttempts { get; init; }

    public JsonNode? Settings { get; init; }
}

/// <summary>By which scorecard an assignment is judged, and with which points as a whole.</summary>
internal sealed record EvaluationCriteria
{
    public int? ScorecardId { get; init; }

    public double? MinScore { get; init; }

    public double? MaxScore { get; init; }

    public double? PassScore { get; init; }
}

internal sealed record AssignmentRequest
{
    public required string Title { get; init; }

    public PublishState? Status { get; init; }

    public DateTimeOffset? ScheduledPublishAt { get; init; }

    public required AssignmentBody Assignment { get; init; }
}

internal sealed record DuplicateTaskRequest
{
    public required int TaskId { get; init; }

    public required int CourseId { get; init; }

    public required int MilestoneId { get; init; }
}

/// <param name="Ordering">The copy's place among the tasks of its module.</param>
internal sealed record DuplicateTaskResponse(TaskView Task, int Ordering);

internal sealed record MarkTaskCompletedRequest
{
    public required int UserId { get; init; }
}
