namespace Stoa.Platform.Http;

/// <summary>A part of a list.</summary>
/// <param name="Next">Give it as <c>after</c> to read on; null on the last page.</param>
public sealed record Listing<T>(IReadOnlyList<T> Items, Guid? Next);

public static class Listing
{
    private const int Most = 200;

    /// <summary>How many were asked for.</summary>
    /// <exception cref="Failure">Invalid: the limit is none.</exception>
    public static int Checked(int limit, int most = Most) => limit >= 1 && limit <= most
        ? limit
        : throw Failure.Invalid($"limit must be between 1 and {most}", "limit");

    /// <summary>Reads one more than asked for, to know whether there is more.</summary>
    /// <exception cref="Failure">Invalid: the limit is none.</exception>
    public static async Task<Listing<T>> ReadAsync<T>(int limit, Func<int, Task<List<T>>> read, Func<T, Guid> id, int most = Most)
    {
        var rows = await read(Checked(limit, most) + 1);
        var items = rows.Take(limit).ToList();
        return new(items, rows.Count > limit ? id(items[^1]) : null);
    }

    /// <summary>The same part, shown otherwise.</summary>
    public static Listing<TView> Select<T, TView>(this Listing<T> list, Func<T, TView> view) =>
        new([.. list.Items.Select(view)], list.Next);
}
