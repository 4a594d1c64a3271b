using System.Text.Json.Serialization;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Cohorts;

internal sealed class CohortRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int OrgId { get; init; }

    public required string Name { get; set; }

    /// <summary>Whether whoever has its link may join as a learner.</summary>
    public bool SelfJoin { get; set; } = true;

    public DateTimeOffset? DeletedAt { get; set; }
}

[JsonConverter(typeof(WireEnum<CohortRole>))]
internal enum CohortRole
{
    Learner,
    Mentor,
}

internal sealed class CohortMember : ISoftDeleted
{
    public int Id { get; init; }

    public required int UserId { get; init; }

    public required int CohortId { get; init; }

    public required CohortRole Role { get; set; }

    public required DateTimeOffset JoinedAt { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>Some of a cohort's members.</summary>
internal sealed class BatchRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int CohortId { get; init; }

    public required string Name { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class BatchMember : ISoftDeleted
{
    public int Id { get; init; }

    public required int UserId { get; init; }

    public required int BatchId { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}
