using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Stoa.Assistants.Background;

/// <summary>
/// Mojodex's own background writes to <c>…/assistants//todos</c>: below these surfaces several slashes are one. Before anything else looks
/// at the path.
/// </summary>
internal sealed class OneSlash : IStartupFilter
{
    private static readonly PathString[] Surfaces = ["/assistants", "/background"];

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(inner => context =>
        {
            if (context.Request.Path.Value is { } path && path.Contains("//", StringComparison.Ordinal) && IsOurs(context.Request.Path))
            {
                context.Request.Path = Collapsed(path);
            }
            return inner(context);
        });
        next(app);
    };

    private static bool IsOurs(PathString path) =>
        Array.Exists(Surfaces, surface => path.StartsWithSegments(surface, StringComparison.OrdinalIgnoreCase));

    private static string Collapsed(string path)
    {
        while (path.Contains("//", StringComparison.Ordinal))
        {
            path = path.Replace("//", "/", StringComparison.Ordinal);
        }
        return path;
    }
}
