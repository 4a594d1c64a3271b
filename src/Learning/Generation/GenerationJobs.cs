using System.Text.Json.Serialization;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Generation;

[JsonConverter(typeof(WireEnum<CourseGenerationStatus>))]
internal enum CourseGenerationStatus
{
    /// <summary>The structure is being made.</summary>
    Started,

    /// <summary>The structure is there, its tasks are not.</summary>
    Pending,
    Completed,
    Failed,
}

internal enum TaskGenerationStatus
{
    Started,
    Completed,
    Failed,
}

internal sealed class CourseGenerationJob : ISoftDeleted
{
    public int Id { get; init; }

    public required Guid Uuid { get; init; }

    public required int CourseId { get; init; }

    public required CourseGenerationStatus Status { get; set; }

    /// <summary>A JSON object: the request, and what has been made so far.</summary>
    public required string JobDetails { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class TaskGenerationJob : ISoftDeleted
{
    public int Id { get; init; }

    public required Guid Uuid { get; init; }

    public required int TaskId { get; init; }

    public required int CourseId { get; init; }

    public required TaskGenerationStatus Status { get; set; }

    /// <summary>A JSON object.</summary>
    public required string JobDetails { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}
