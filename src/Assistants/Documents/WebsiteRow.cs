namespace Stoa.Assistants.Documents;

internal sealed class WebsiteRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    public int? CompanyId { get; set; }

    public required string Url { get; init; }

    public int Run { get; set; }

    /// <summary>Between the first page of a run and its end.</summary>
    public bool IsRunning { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    public long BytesRead { get; set; }

    public double SecondsSpent { get; set; }

    public string? EndedBecause { get; set; }

    public DateTimeOffset? NextRefreshAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
