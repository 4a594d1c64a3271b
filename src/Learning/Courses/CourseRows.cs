using System.Text.Json.Serialization;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Courses;

internal sealed class CourseRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int OrgId { get; init; }

    public required string Name { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

[JsonConverter(typeof(WireEnum<DripUnit>))]
internal enum DripUnit
{
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// <summary>A course that a cohort takes, at once or module by module.</summary>
internal sealed class CourseCohort : ISoftDeleted
{
    public int Id { get; init; }

    public required int CourseId { get; init; }

    public required int CohortId { get; init; }

    public bool IsDripEnabled { get; set; }

    public int? FrequencyValue { get; set; }

    public DripUnit? FrequencyUnit { get; set; }

    public DateTimeOffset? PublishAt { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>A module.</summary>
internal sealed class MilestoneRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int OrgId { get; init; }

    public required string Name { get; set; }

    public string? Color { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class CourseMilestone : ISoftDeleted
{
    public int Id { get; init; }

    public required int CourseId { get; init; }

    public int? MilestoneId { get; init; }

    public required int Ordering { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class CourseTask : ISoftDeleted
{
    public int Id { get; init; }

    public required int TaskId { get; init; }

    public required int CourseId { get; init; }

    public int? MilestoneId { get; set; }

    public required int Ordering { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}
