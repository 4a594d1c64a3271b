using Microsoft.AspNetCore.Mvc;

namespace Stoa.Learning.Wire;

/// <summary>
/// A part of a list for who wants no more: so many of it, behind the entry with this id. Nobody gets more than ten thousand at once.
/// </summary>
internal readonly record struct Page(
    [FromQuery(Name = "after")][property: FromQuery(Name = "after")] int? After,
    [FromQuery(Name = "limit")][property: FromQuery(Name = "limit")] int? Limit)
{
    private const int Most = 10_000;

    public int Size => Math.Clamp(Limit ?? Most, 1, Most);
}
