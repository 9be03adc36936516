"""Small problems of every kind of layer, for the tests of marking: convolution, pooling, recurrence, attention, normalisation.

Their numbers are chosen so that mistakes show: kernels are not symmetric, no state begins at 0, ε is large.
"""

from __future__ import annotations

MODELS = {
    "convolution": """
        inputs: [[1, 2, 0, 3], [0, 1, -1, 2], [2, 0.5, 1, 1], [1, 3, 0, 2]]
        targets: [1]
        layers:
          - {type: conv2d, weights: [[0.5, -0.2], [0.1, 0.3]], bias: 0.4, activation: tanh}
          - {type: max_pool, kernel_size: 2, stride: 1}
          - {type: flatten}
          - {neurons: [o], activation: sigmoid, weights: [[0.6, -0.3, 0.2, 0.5]], bias: [0.1]}
        learning_rate: 0.5""",
    "strided convolution": """
        inputs: [[[1, 2, 0.5], [0, 1, -1], [2, 0.3, 1]], [[0.4, -0.6, 1], [0.8, 0.1, 0.2], [-0.5, 0.7, 0.9]]]
        targets: [0.2, 0.7]
        layers:
          - type: conv2d
            weights: [[[[0.1, 0.2], [0.3, -0.4]], [[0.2, -0.25], [0.35, 0.15]]], [[[0.5, 0.2], [-0.3, 0.4]], [[0.2, 0.6], [0.3, -0.1]]]]
            stride: 2
            padding: 1
            bias: [0.1, -0.2]
            activation: sigmoid
          - {type: avg_pool, kernel_size: 2}
          - {type: flatten}
          - {neurons: [o1, o2], activation: sigmoid, weights: [[0.6, -0.3], [0.2, 0.5]], bias: [0.1, -0.15]}
        learning_rate: 0.5""",
    "two convolutions": """
        inputs: [[1, 2, 0, 3], [0, 1, -1, 2], [2, 0.5, 1, 1], [1, 3, 0, 2.5]]
        targets: [[[0.3, 0.1], [0.4, -0.2]]]
        layers:
          - {type: conv2d, weights: [[0.5, -0.2], [0.1, 0.3]], bias: 0.4, activation: tanh}
          - {type: conv2d, weights: [[[0.7, 0.2], [-0.4, 0.6]]], bias: 0.2}
        learning_rate: 0.5""",
    "padded pooling": """
        inputs: [[1, 2, 0, 3], [0, 1, -1, 2], [2, 0.5, 1, 1], [1, 3, 0, 2.5]]
        targets: [0.3, 0.8]
        layers:
          - {type: conv2d, weights: [[0.5, -0.2], [0.1, 0.3]], bias: -0.4, activation: tanh}
          - {type: max_pool, kernel_size: 2, stride: 1, padding: 1}
          - {type: avg_pool, kernel_size: 2, padding: 1, stride: 2, count_include_pad: false}
          - {type: flatten}
          - neurons: [o1, o2]
            activation: sigmoid
            weights: [[0.6, -0.3, 0.2, 0.5, -0.1, 0.7, 0.4, -0.6, 0.3], [0.1, 0.4, -0.5, 0.3, 0.8, -0.2, 0.6, 0.2, -0.7]]
            bias: [0.1, -0.2]
        learning_rate: 0.5""",
    "dilated row": """
        inputs: [1, 2, -0.5, 4, 0.7, 3]
        targets: [[1, 2], [0.3, 0.4]]
        layers:
          - {type: conv1d, weights: [[0.5, 0.2], [-0.7, 0.3]], bias: [0.1, 0.2], dilation: 2, activation: sigmoid}
          - {type: avg_pool, kernel_size: 2}
        conventions: {convolution: flipped}
        learning_rate: 0.1""",
    "causal row": """
        inputs: [1, 2, -0.5, 0.7]
        targets: [0.4]
        layers:
          - {type: conv1d, weights: [0.5, 0.2, -0.7], bias: 0.1, padding: [2, 0], activation: tanh}
          - {type: flatten}
          - {neurons: [o], weights: [[0.6, -0.3, 0.2, 0.5]], bias: [0.1]}
        learning_rate: 0.1""",
    "transposed convolution": """
        inputs: [[0.5, 1], [2, -3]]
        targets: [[[0, 1, 0.5], [1, 0.2, -1], [0.3, 0, 0.4]]]
        layers:
          - {type: conv_transpose2d, weights: [[0.1, 1, 0.4], [2, 3, -0.5], [0.6, -1, 0.7]], stride: 2, padding: 1, bias: 0.3}
        learning_rate: 0.1""",
    "recurrence": """
        inputs: [[1, 0.5], [0.2, -0.3], [0.7, 0.1]]
        targets: [[0.5], [0.1], [0.2]]
        layers:
          - type: rnn
            neurons: [h1, h2]
            input_weights: [[0.1, 0.2], [0.3, -0.4]]
            hidden_weights: [[0.5, -0.1], [0.2, 0.3]]
            bias: [0.1, -0.2]
            initial_state: [0.3, -0.6]
          - {neurons: [y], weights: [[0.4, -0.6]], bias: [0.1]}
        learning_rate: 0.5""",
    "last state": """
        inputs: [[1], [0.2], [0.7]]
        targets: [0.5]
        layers:
          - {type: rnn, neurons: [h1, h2], input_weights: [[0.1], [0.3]], hidden_weights: [[0.5, -0.1], [0.2, 0.3]], returns: last,
             bias: [0.1, -0.2], initial_state: [0.3, -0.6]}
          - {neurons: [y], weights: [[0.4, -0.6]], bias: [0.1]}
        learning_rate: 0.5""",
    "handed state": """
        inputs: [[1, 0.5], [0.2, -0.3], [0.4, 0.1], [0.7, -0.2]]
        targets: [[0.3, 0.9], [0.6, 0.2]]
        layers:
          - {type: slice, tokens: [1, 2]}
          - {type: rnn, neurons: [h1, h2], input_weights: [[0.5, -0.4], [0.3, 0.6]], hidden_weights: [[0.3, 0.4], [-0.2, 0.5]],
             bias: [0.1, -0.2], initial_state: [0.3, -0.6]}
          - {type: slice, from: 0, tokens: [3, 4]}
          - {type: rnn, neurons: [d1, d2], initial_state: {from: 2}, input_weights: [[0.2, 0.6], [0.4, -0.3]],
             hidden_weights: [[-0.7, 0.5], [0.8, 0.9]], bias: [0.1, 0.2]}
          - {neurons: [y1, y2], weights: [[1.5, -0.4], [0.6, 0.9]], bias: [0.1, 0.3]}
        learning_rate: 0.5""",
    "long short-term memory": """
        inputs: [[1, 2], [0.5, 3], [-0.4, 0.6]]
        targets: [[0.5], [1.25], [0.3]]
        layers:
          - type: lstm
            neurons: [h]
            initial_state: [0.2]
            initial_cell: [-0.35]
            gates:
              candidate: {input_weights: [[0.45, 0.25]], hidden_weights: [[0.15]], bias: [0.2]}
              input: {input_weights: [[0.95, 0.8]], hidden_weights: [[0.8]], bias: [0.65]}
              forget: {input_weights: [[0.7, 0.45]], hidden_weights: [[0.1]], bias: [0.15]}
              output: {input_weights: [[0.6, 0.4]], hidden_weights: [[0.25]], bias: [0.1]}
          - {neurons: [y], weights: [[0.9]], bias: [-0.3]}
        learning_rate: 0.5""",
    "gated unit": """
        inputs: [[1, 2], [0.5, -1]]
        targets: [[0.5], [0.8]]
        layers:
          - type: gru
            neurons: [a, b]
            update_keeps: new
            initial_state: [0.4, -0.3]
            gates:
              reset: {input_weights: [[0.45, 0.25], [0.1, 0.2]], hidden_weights: [[0.15, 0.3], [0.2, -0.3]], bias: [0.2, 0.1]}
              update: {input_weights: [[0.95, -0.8], [0.3, 0.2]], hidden_weights: [[0.8, 0.1], [0.1, 0.2]], bias: [0.65, 0.3]}
              candidate: {input_weights: [[0.7, 0.45], [0.1, 0.2]], hidden_weights: [[0.1, 0.2], [0.3, 0.1]], bias: [0.15, 0.1]}
          - {neurons: [y], weights: [[0.4, -0.6]], bias: [0.1]}
        learning_rate: 0.5""",
    "gated unit of PyTorch": """
        inputs: [[1], [0.5]]
        targets: [[0.5], [0.8]]
        layers:
          - type: gru
            neurons: [a, b]
            reset_after: true
            initial_state: [0.4, -0.3]
            gates:
              reset: {input_weights: [[0.45], [0.1]], hidden_weights: [[0.15, 0.3], [0.2, -0.3]], bias: [0.2, 0.1]}
              update: {input_weights: [[0.95], [0.3]], hidden_weights: [[0.8, 0.1], [0.1, 0.2]], bias: [0.65, 0.3]}
              candidate:
                {input_weights: [[0.7], [0.1]], hidden_weights: [[0.1, 0.2], [0.3, 0.1]], bias: [0.15, 0.1], hidden_bias: [0.2, 0.3]}
          - {neurons: [y], weights: [[0.4, -0.6]], bias: [0.1]}
        learning_rate: 0.5""",
    "attention": """
        inputs: [[1, 0.5, 0.1], [0.2, -0.3, 0.4], [0.7, 0.1, -0.2]]
        targets: [[0.5, 0.1], [0.1, 0.2], [0.3, -0.1]]
        layers:
          - {type: positional_encoding}
          - type: attention
            query_weights: [[1, 0.2, 0.3], [0.3, -2, 0.1]]
            key_weights: [[0.5, 0.2, -1], [0.3, 1.3, 0.1]]
            value_weights: [[0.1, 0.2, 0.3], [0.3, -0.2, 0.1]]
            mask: causal
          - {neurons: [y1, y2], weights: [[0.3, -0.2], [0.2, 0.4]], bias: [0.1, 0.2]}
        learning_rate: 0.5""",
    "two heads": """
        inputs: [2, 0]
        targets: [[0.5, 0.1], [0.1, -0.4]]
        layers:
          - {type: embedding, weights: [[0.1, 1.2], [0.9, -0.4], [1.5, -0.6]]}
          - type: attention
            heads: 2
            query_weights: [[1, 0.2], [0.3, -1.2], [0.4, 0.9], [1.1, 0.3]]
            key_weights: [[0.5, 1.2], [0.9, 0.3], [-0.6, 1.1], [0.7, -0.8]]
            value_weights: [[0.1, 0.2], [0.3, -0.2], [0.6, 0.4], [0.2, 0.7]]
            output_weights: [[0.2, 0.4, 0.1, 0.3], [0.1, 0.3, -0.5, 0.2]]
            query_bias: [0.1, 0.2, -0.3, 0.4]
        learning_rate: 0.5""",
    "normalised block": """
        inputs: [[1, 0.5, 0.1], [0.2, -0.3, 0.4]]
        targets: [[0.5, 0.1, 0.3], [0.1, 0.2, -0.1]]
        layers:
          - {neurons: 3, activation: tanh, weights: [[0.3, -0.2, 0.1], [0.2, 0.4, 0.2], [-0.5, 0.6, 0.3]], bias: [0.1, 0.2, -0.1]}
          - {neurons: 3, weights: [[0.3, -0.2, 0.7], [0.2, 0.4, -0.6], [0.1, 0.5, 0.2]], bias: [0.1, -0.2, 0.3]}
          - {type: residual, from: 1}
          - {type: layer_norm, weights: [1, 0.9, 1.1], bias: [0.1, 0, 0.2], epsilon: 0.1}
        learning_rate: 0.5""",
    "skipping maps": """
        inputs: [[[1, 2, 0.5], [0, 1, -1]], [[0.4, -0.6, 1], [0.8, 0.1, 0.2]]]
        targets: [0.2, 0.7]
        layers:
          - {type: conv2d, weights: [[[[0.1]], [[0.3]]], [[[0.5]], [[-0.3]]]], bias: [0.1, -0.2]}
          - {type: activation, activation: tanh}
          - {type: concatenate, from: 0}
          - {type: avg_pool, kernel_size: [2, 3]}
          - {type: flatten}
          - {neurons: [o1, o2], activation: sigmoid, weights: [[0.6, -0.3, 0.2, 0.5], [0.2, 0.5, -0.1, 0.7]], bias: [0.1, -0.15]}
        learning_rate: 0.5""",
    "gated channels": """
        inputs: [[[1, 2, 0.5], [0, 1, -1]], [[0.4, -0.6, 1], [0.8, 0.1, 0.2]]]
        targets: [[0.7, 0.2]]
        layers:
          - {name: maps, type: conv2d, weights: [[[[0.1]], [[0.3]]], [[[0.5]], [[-0.3]]]], bias: [0.1, -0.2], activation: tanh}
          - {type: global_avg_pool}
          - {neurons: [e1, e2], activation: sigmoid, weights: [[0.6, -0.3], [0.2, 0.5]], bias: [0.1, -0.15]}
          - {type: multiply, from: maps}
          - {type: global_avg_pool}
          - {neurons: [o1, o2], activation: sigmoid, weights: [[0.7, -0.4], [0.3, 0.6]], bias: [0.2, -0.1]}
        learning_rate: 0.5""",
    "gated rows": """
        inputs: [[0.5, -0.3], [0.8, 0.6]]
        targets: [[0, 1], [1, 0]]
        layers:
          - {name: content, neurons: [h1, h2], activation: tanh, weights: [[0.9, 0.2], [-0.7, 0.4]], bias: [0.1, 0.3]}
          - {from: 0, neurons: [g1, g2], activation: sigmoid, weights: [[0.3, -1.1], [0.5, 0.2]], bias: [0.2, -0.4]}
          - {type: multiply, from: content}
          - {neurons: [o1, o2], activation: {softmax: {temperature: 0.4}}, weights: [[0.6, -0.3], [0.2, 0.5]], bias: [0.1, -0.15]}
        loss: mean_cross_entropy
        learning_rate: 0.5""",
    "looking elsewhere": """
        inputs: [[1, 0.5], [0.2, -0.3], [0.7, 0.1], [-0.4, 0.6], [0.3, 0.9]]
        targets: [[0.5, 0.1], [0.1, 0.2]]
        layers:
          - {name: source, type: slice, tokens: [1, 3]}
          - {type: slice, from: 0, tokens: [4, 5]}
          - type: attention
            keys_from: source
            query_weights: [[0.7, 1.2], [1.3, -0.5]]
            key_weights: [[0.5, 1.2], [0.9, 0.3]]
            value_weights: [[0.1, 0.2], [0.3, -0.2]]
        learning_rate: 0.5""",
    "tied weights": """
        inputs: [0.5, -0.3, 0.8]
        targets: [0.4, 0.1, 0.6]
        layers:
          - {neurons: [h1, h2], activation: tanh, weights: [[0.1, 0.2, 0.3], [-0.2, 0.4, 0.1]], bias: [0.1, 0.2]}
          - {type: tied, neurons: [y1, y2, y3], from: 1, transposed: true, bias: [0.15, 0.1, 0.2], activation: sigmoid}
        learning_rate: 0.5""",
    "projected residual": """
        inputs: [[0.5, -0.3], [0.1, 0.7]]
        targets: [[0.4, 0.1, 0.5], [0.6, 0.3, 0.1]]
        layers:
          - {neurons: 3, activation: tanh, weights: [[0.1, 0.9], [-0.2, 0.4], [0.7, -0.5]], bias: [0.1, 0.2, -0.3]}
          - {type: layer_norm, epsilon: 0.1}
          - {type: residual, from: 0, weights: [[0.5, 0.2], [-0.4, 0.3], [0.6, -0.1]], bias: [0.1, -0.1, 0.05]}
          - {type: activation, activation: softmax}
        loss: cross_entropy
        learning_rate: 0.5""",
    "normalised batch": """
        samples:
          - {inputs: [1, 2, 3], targets: [0.1, 0.2]}
          - {inputs: [0.5, -1, 2], targets: [0.3, 0.4]}
          - {inputs: [0.1, 1, -2], targets: [0.2, 0.1]}
        layers:
          - {neurons: [h1, h2], weights: [[0.5, 0.2, 0.1], [-0.7, 0.3, 0.4]], bias: [0.1, 0.2]}
          - {type: batch_norm, weights: [1, 0.9], bias: [0.1, 0.3], epsilon: 0.2, running_mean: [0.4, -0.3], running_var: [1.5, 0.8]}
          - {type: dropout, mask: [1, 1], share: 0.2}
          - {neurons: [o1, o2], weights: [[0.5, 0.2], [-0.7, 0.3]], bias: [0.1, 0.2]}
        learning_rate: 0.5""",
}
