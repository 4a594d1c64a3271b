using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Stoa.Platform.Data;

public static class PreparedQueries
{
    private const string Tag = "prepared";

    /// <summary>
    /// The query is planned once for each pooled connection. For what is asked with almost every request, and whose best plan does not depend
    /// on what it is asked about.
    /// </summary>
    public static IQueryable<T> Prepared<T>(this IQueryable<T> query) => query.TagWith(Tag);

    internal sealed class Interceptor : DbCommandInterceptor
    {
        public static readonly Interceptor Instance = new();

        public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            if (command.CommandText.StartsWith($"-- {Tag}", StringComparison.Ordinal))
            {
                await command.PrepareAsync(cancellationToken);
            }
            return result;
        }
    }
}
