"""What a network looks at: heatmaps, facial regions, and how far either can be trusted.

`Explainer` and everything it needs run with the base install; only the methods that follow
gradients, feature maps and t-SNE need the extra [train], and import it when they are asked for.
"""
