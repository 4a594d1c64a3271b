using Stoa.Learning.Chat;
using Stoa.Learning.Tasks;

namespace Stoa.Learning.Tutor;

/// <summary>A task as the tutor must know it. Documents are Markdown.</summary>
internal sealed record TutorTask
{
    public required int Id { get; init; }

    public required int OrgId { get; init; }

    /// <summary>Where its model calls are metered.</summary>
    public required Guid OrganizationId { get; init; }

    public required TaskType Type { get; init; }

    public required string Title { get; init; }

    /// <summary>Of a learning material.</summary>
    public string Material { get; init; } = "";

    public TutorQuestion? Question { get; init; }

    public TutorAssignment? Assignment { get; init; }

    public string? FirstName { get; init; }
}

internal sealed record TutorQuestion
{
    /// <summary>Null for one that is only tried.</summary>
    public int? Id { get; init; }

    public required QuestionType Type { get; init; }

    public InputType InputType { get; init; }

    public ResponseType ResponseType { get; init; }

    public int? MaxAttempts { get; init; }

    public string? CodingLanguages { get; init; }

    public required string Text { get; init; }

    public string Solution { get; init; } = "";

    public string KnowledgeBase { get; init; } = "";

    /// <summary>Null without a scorecard.</summary>
    public IReadOnlyList<Criterion>? Criteria { get; init; }
}

internal sealed record TutorAssignment(string Problem, string KnowledgeBase, IReadOnlyList<Criterion> Criteria, ScoreRange Range);

/// <summary>One turn of a conversation, as it is stored.</summary>
internal sealed record PastTurn(ChatRole Role, string Content, ChatResponseType? ResponseType);
