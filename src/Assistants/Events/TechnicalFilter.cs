using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Mail;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Events;

/// <summary>What goes wrong where only programs call is told to people.</summary>
internal static class TechnicalFilter
{
    public static RouteGroupBuilder TellTechnicalMailbox(this RouteGroupBuilder group)
    {
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            var handle = endpoint.RequestDelegate ?? throw new InvalidOperationException("The route has no handler");
            var name = (endpoint as RouteEndpointBuilder)?.RoutePattern.RawText;
            endpoint.RequestDelegate = async context =>
            {
                try
                {
                    await handle(context);
                }
                catch (Exception problem) when (problem is not (Failure or OperationCanceledException or BadHttpRequestException))
                {
                    await context.RequestServices.GetRequiredService<TechnicalMail>().TellAsync(
                        $"{context.Request.Method} {name} failed with {problem.GetType().Name}; the log has more.", context.RequestAborted);
                    throw;
                }
            };
        });
        return group;
    }
}
