using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;

namespace Stoa.Platform.Pages;

/// <summary>A failure as a page: on pages, below <c>/console</c>, and for a browser that asks for what does not exist.</summary>
public sealed class PageErrors : ErrorDialect
{
    public static readonly PageErrors Instance = new();

    public override async Task WriteAsync(HttpContext context, Failure failure)
    {
        if (!context.Request.HasAddress())
        {
            await ProblemErrors.Instance.WriteAsync(context, failure);
            return;
        }
        // A renderer serves one page, and the page that failed may have used the request's.
        var services = context.RequestServices;
        await using var scope = services.CreateAsyncScope();
        context.RequestServices = scope.ServiceProvider;
        try
        {
            if (context.GetEndpoint()?.Metadata.GetMetadata<PageRoute>() is null)
            {
                await context.AuthenticateAsync();
            }
            PageHeaders.Apply(context.Response.Headers);
            // The renderer of the page that failed has set it, and ours would set it again.
            context.Response.Headers.Remove("blazor-enhanced-nav");
            var status = StatusOf(failure);
            var title = ProblemErrors.TitleOf(failure.Kind);
            var page = new RazorComponentResult<ErrorPage>(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                [nameof(ErrorPage.Status)] = status,
                [nameof(ErrorPage.Title)] = title,
                [nameof(ErrorPage.Message)] = failure.Message == title ? "There is nothing at this address." : failure.Message,
                [nameof(ErrorPage.RequestId)] = context.RequestId(),
            })
            {
                StatusCode = status,
            };
            await page.ExecuteAsync(context);
        }
        finally
        {
            context.RequestServices = services;
        }
    }
}
