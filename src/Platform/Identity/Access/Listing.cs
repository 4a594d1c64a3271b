using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>A part of a list.</summary>
/// <param name="Next">Give it as <c>after</c> to read on; null on the last page.</param>
internal sealed record Listing<T>(IReadOnlyList<T> Items, Guid? Next)
{
    private const int Most = 200;

    /// <summary>Reads one more than asked for, to know whether there is more.</summary>
    public static async Task<Listing<T>> ReadAsync(int limit, Func<int, Task<List<T>>> read, Func<T, Guid> id)
    {
        if (limit is < 1 or > Most)
        {
            throw Failure.Invalid($"limit must be between 1 and {Most}", "limit");
        }
        var rows = await read(limit + 1);
        var items = rows.Take(limit).ToList();
        return new(items, rows.Count > limit ? id(items[^1]) : null);
    }
}
