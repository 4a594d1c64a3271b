using System.Text.Json.Serialization;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Tasks;

[JsonConverter(typeof(WireEnum<TaskType>))]
internal enum TaskType
{
    Quiz,
    LearningMaterial,
    Assignment,
}

/// <summary><c>status</c> of a task and of a scorecard.</summary>
[JsonConverter(typeof(WireEnum<PublishState>))]
internal enum PublishState
{
    Draft,
    Published,
}

/// <summary>How a learner answers.</summary>
[JsonConverter(typeof(WireEnum<InputType>))]
internal enum InputType
{
    Code,
    Text,
    Audio,
    File,
}

/// <summary>What an answer is for: <c>chat</c> is practice with feedback, <c>exam</c> is one attempt without.</summary>
[JsonConverter(typeof(WireEnum<ResponseType>))]
internal enum ResponseType
{
    Chat,
    Exam,
}

[JsonConverter(typeof(WireEnum<QuestionType>))]
internal enum QuestionType
{
    Subjective,
    Objective,
}

internal sealed class TaskRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int OrgId { get; init; }

    public required TaskType Type { get; init; }

    /// <summary>Of learning materials only: a JSON array.</summary>
    public string? Blocks { get; set; }

    public required string Title { get; set; }

    public required PublishState Status { get; set; }

    /// <summary>Published, and hidden from learners until then.</summary>
    public DateTimeOffset? ScheduledPublishAt { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>One question of a quiz. Documents are JSON texts.</summary>
internal sealed class QuestionRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int TaskId { get; init; }

    public required QuestionType Type { get; set; }

    public string? Blocks { get; set; }

    /// <summary>The reference solution: never for learners.</summary>
    public string? Answer { get; set; }

    public required InputType InputType { get; set; }

    public string? CodingLanguages { get; set; }

    public string? GenerationModel { get; set; }

    public required ResponseType ResponseType { get; set; }

    public required int Position { get; set; }

    public int? MaxAttempts { get; set; }

    public bool? IsFeedbackShown { get; set; }

    /// <summary>The knowledge base: never for learners.</summary>
    public string? Context { get; set; }

    public required string Title { get; set; }

    public string? Settings { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>What an assignment asks for. Documents are JSON texts.</summary>
internal sealed class AssignmentRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int TaskId { get; init; }

    public required string Blocks { get; set; }

    public required InputType InputType { get; set; }

    public ResponseType? ResponseType { get; set; }

    /// <summary>The knowledge base: never for learners.</summary>
    public string? Context { get; set; }

    /// <summary><c>{scorecard_id, min_score, max_score, pass_score}</c>.</summary>
    public string? EvaluationCriteria { get; set; }

    public int? MaxAttempts { get; set; }

    public string? Settings { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

[JsonConverter(typeof(WireEnum<CompletionSource>))]
internal enum CompletionSource
{
    Client,
    Evaluation,
    Override,
}
